/**
 * A service process for tests that kill it: in the context `work`, five `work.part` of one whole become a `work.whole`,
 * for which its handler appends the event `work.gathered`. Parts wait a little on their way, and so does the handler.
 * Its one argument is JSON: url, namespace, partitions. It says `ready`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Broker, Publisher, RedisPartitionStore, Subscriber, Subscriptions } from '@millrace/broker';
import { Event } from '@millrace/messages';
import { aggregate, enrich } from '@millrace/transforms';
import { IsArray, IsInt, IsString } from 'class-validator';

/** A message class, as decorators make it. */
function message(type, options, fields) {
  class Message {}
  for (const [name, check] of Object.entries(fields)) check()(Message.prototype, name);
  Event(type, options)(Message);
  return Message;
}
const Part = message('work.part', {}, { whole: IsString, n: IsInt });
const Whole = message('work.whole', { key: 'whole' }, { whole: IsString, numbers: IsArray });
const Gathered = message('work.gathered', { key: 'whole' }, { whole: IsString, numbers: IsArray });

const { url, namespace, partitions } = JSON.parse(process.argv[2]);
const pause = () => sleep(Math.random() * 20);

const store = await RedisPartitionStore.connect({ url, namespace });
const broker = new Broker(store, { context: 'work', partitions });
const publisher = new Publisher(broker);
const slowly = enrich(Part, Part, async () => (await pause(), {}));
const five = aggregate(Part, Whole, {
  by: ({ whole }) => whole,
  count: 5,
  combine: (parts) => ({ whole: parts[0].whole, numbers: parts.map(({ n }) => n) }),
});
const subscriptions = new Subscriptions('work');
subscriptions.add({
  name: 'gatherer',
  type: 'work.whole',
  contract: Whole,
  context: 'work',
  log: 'in',
  inbound: [slowly, five],
  handle: async (whole) => {
    await publisher.publish(Object.assign(new Gathered(), whole));
    await pause();
  },
});
const subscriber = new Subscriber(broker, subscriptions, { blockMs: 50, concurrency: 8 });
await subscriber.start();
process.stdout.write('ready\n');
