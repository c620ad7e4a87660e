/**
 * A process for tests that kill it between any two commits: runs a saga and answers its commands, in the context `work`. Its
 * argument is JSON: url, namespace, and `kill: { when: 'before' | 'after', commit: n }`. It finishes what the process before has left,
 * then starts the saga `id`, and kills itself around the nth commit from there on. What it says: `killed`, or `ended <status>`.
 */
import { appendFileSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Broker, Publisher, RedisPartitionStore, Subscriber, Subscriptions } from '@millrace/broker';
import { Command, Event, Reply } from '@millrace/messages';
import { isOver, Orchestrator, refused, saga, SagaDefinitions, SagaInstances, SagaLocks } from '@millrace/saga';

const { url, namespace, ledger, id, last, kill } = JSON.parse(process.argv[2]);
const say = (line) => writeSync(1, `${line}\n`);
const fields = (names, data) => Object.fromEntries(names.map((name) => [name, data[name]]));

/** A contract whose data are not checked. */
function contract(declare, names) {
  class Message {
    constructor(data) {
      Object.assign(this, fields(names, data));
    }
  }
  declare(Message);
  return Message;
}
const Ordered = contract(Event('work.ordered', { key: 'id' }), ['id', 'bad']);
const Effect = contract(Event('work.effect', { key: 'id' }), ['id', 'what']);
const Done = contract(Reply('work.done'), []);
const No = contract(Reply('work.no', { failure: true }), []);
const Do = contract(Command('work.do', { key: 'id' }), ['id', 'what', 'bad']);
const Undo = contract(Command('work.undo', { key: 'id' }), ['id', 'what']);

const sent = (what) => (s) =>
  s
    .sends(({ id: order, bad }) => new Do({ id: order, what, bad: bad && what === 'ship' }))
    .onReply(Done)
    .failsOn(No)
    .compensates(({ id: order }) => new Undo({ id: order, what }));
const note = (text) => appendFileSync(ledger, `${text}\n`);

const definition = saga()
  .startsOn(Ordered, ({ id: order, bad }) => ({ id: order, bad }))
  .step('reserve', sent('reserve'))
  .step('charge', (s) =>
    s
      .calls((_, { idempotencyKey }) => note(idempotencyKey))
      .compensates((_, { idempotencyKey }) => note(idempotencyKey)),
  )
  .parallel('prepare', { pack: (b) => b.step('pack', sent('pack')), label: (b) => b.step('label', sent('label')) })
  .step('check', (s) => s.calls(({ bad }) => (bad === 'check' ? refused('bad') : 1)))
  .step('ship', sent('ship'))
  .named('order');

const store = await RedisPartitionStore.connect({ url, namespace });
const broker = new Broker(store, { context: 'work', partitions: 2, validate: false });
const subscriptions = new Subscriptions('work');
const instances = new SagaInstances(broker, new SagaDefinitions());
new Orchestrator('work', subscriptions, instances, new SagaLocks(broker)).add(definition);
const publisher = new Publisher(broker);
const participant = { name: 'participant', context: 'work', log: 'in', group: 'participant' };
subscriptions.add({
  ...participant,
  type: 'work.do',
  contract: Do,
  handle: async ({ id: order, what, bad }) => {
    if (bad) return new No({});
    await publisher.publish(new Effect({ id: order, what }));
    return new Done({});
  },
});
subscriptions.add({
  ...participant,
  type: 'work.undo',
  contract: Undo,
  handle: async ({ id: order, what }) => {
    await publisher.publish(new Effect({ id: order, what: `undo ${what}` }));
    return new Done({});
  },
});

let counted = 0;
let counting = false;
const commit = store.commit.bind(store);
store.commit = async (wanted) => {
  const hit = counting && ++counted === kill?.commit;
  if (hit && kill.when === 'before') process.kill(process.pid, 'SIGKILL');
  const result = await commit(wanted);
  if (hit) process.kill(process.pid, 'SIGKILL');
  return result;
};
const over = async (order) => {
  for (;;) {
    const instance = await instances.find('order', order);
    if (instance && isOver(instance)) return instance;
    await sleep(5);
  }
};

const subscriber = new Subscriber(broker, subscriptions, { blockMs: 20, leaseTtlMs: 1000 });
await subscriber.start();
if (last !== undefined) await over(last);
if (id === undefined) process.exit(0);
await publisher.publish(new Ordered({ id, bad: kill.bad }));
counting = true;
const { status } = await over(id);
say(`ended ${status}`);
process.exit(0);
