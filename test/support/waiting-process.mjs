/** Thirty messages that wait for their next attempt at the same time; the warnings of Node on standard output. */
import { Broker, InMemoryPartitionStore, Subscriber, Subscriptions } from '@millrace/broker';

const MESSAGES = 30;
const warnings = [];
process.on('warning', ({ name }) => warnings.push(name));

const store = new InMemoryPartitionStore();
const broker = new Broker(store, { context: 'work', partitions: 1 });
const inbox = { partition: { context: 'work', index: 0 }, log: 'in' };
for (let n = 0; n < MESSAGES; n++) await store.append(inbox, ['type', 'work.do', 'data', `{"n":${n}}`]);

const failed = new Set();
let done = 0;
const subscriptions = new Subscriptions('work');
const finished = new Promise((finish) => {
  subscriptions.add({
    name: 'Worker.do',
    type: 'work.do',
    context: 'work',
    log: 'in',
    handle: ({ n }) => {
      if (!failed.has(n)) {
        failed.add(n);
        throw new Error('not yet');
      }
      if (++done === MESSAGES) finish();
    },
  });
});
const subscriber = new Subscriber(broker, subscriptions, { blockMs: 50, retry: { delayMs: 100 } });
await subscriber.start();
await finished;
await subscriber.stop();
console.log(JSON.stringify({ done, warnings }));
