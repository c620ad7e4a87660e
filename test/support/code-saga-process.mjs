/**
 * A service process for tests that kill it: in the context `work` it runs the saga of code `book-trip` and answers its command. Each
 * effect is an entry of a Redis hash under its idempotency key, so that it is there once however often it is tried. It
 * kills itself before its `killAt`-th commit. Its one argument is JSON: url, namespace, partitions, settings: of the subscriber, and
 * `killAt` and `fails`: whether the last step is refused. It says `ready`.
 */
import { Broker, RedisPartitionStore, Subscriber, Subscriptions } from '@millrace/broker';
import { Command, contractOf, Event, Reply } from '@millrace/messages';
import { Orchestrator, refused, SagaDefinitions, SagaInstances, SagaLocks, sagaOf } from '@millrace/saga';
import { IsString } from 'class-validator';
import { Redis } from 'ioredis';

const { url, namespace, partitions, settings } = JSON.parse(process.argv[2]);
const { killAt = Infinity, fails = false, ...rest } = settings;

const store = await RedisPartitionStore.connect({ url, namespace });
let commits = 0;
const commit = store.commit.bind(store);
store.commit = async (request) => {
  if (++commits === killAt) process.kill(process.pid, 'SIGKILL');
  return commit(request);
};
const ledger = new Redis(url);
const effect = (what, key) => ledger.hsetnx(`${namespace}-ledger`, `${what} ${key}`, String(process.pid));

class TripRequested {}
IsString()(TripRequested.prototype, 'trip');
Event('work.trip-requested', { key: 'trip' })(TripRequested);
class SeatBooked {}
IsString()(SeatBooked.prototype, 'seat');
Reply('work.seat-booked')(SeatBooked);
class BookSeat {
  constructor(trip) {
    this.trip = trip;
  }
}
IsString()(BookSeat.prototype, 'trip');
Command('work.book-seat', { key: 'trip' })(BookSeat);

const bookTrip = sagaOf(TripRequested, async (saga, { trip }) => {
  const room = await saga.step(
    'room',
    async ({ idempotencyKey }) => (await effect('room', idempotencyKey), { id: `${trip}-room` }),
    (_room, { undoes }) => effect('cancel room', undoes),
  );
  const [seat, car] = await Promise.all([
    saga.send('seat', new BookSeat(trip)),
    saga.step(
      'car',
      async ({ idempotencyKey }) => (await effect('car', idempotencyKey), 'car'),
      (_car, { undoes }) => effect('cancel car', undoes),
    ),
  ]);
  if (fails) await saga.step('pay', () => refused('no money'));
  saga.pivot();
  await saga.step('mail', ({ idempotencyKey }) => effect('mail', idempotencyKey));
  return [room.id, seat.seat, car];
}).named('book-trip');

const subscriptions = new Subscriptions('work');
const broker = new Broker(store, { context: 'work', partitions });
const instances = new SagaInstances(broker, new SagaDefinitions());
new Orchestrator('work', subscriptions, instances, new SagaLocks(broker)).add(bookTrip);
subscriptions.add({
  name: 'seats',
  type: contractOf(BookSeat).type,
  contract: BookSeat,
  context: 'work',
  log: 'in',
  handle: async ({ trip }, { envelope }) => {
    await effect('seat', envelope.id);
    return Object.assign(new SeatBooked(), { seat: `${trip}-seat` });
  },
});
const subscriber = new Subscriber(broker, subscriptions, rest);
process.once('SIGTERM', async () => {
  await subscriber.stop();
  await store.close();
  ledger.disconnect();
});
await subscriber.start();
process.stdout.write('ready\n');
