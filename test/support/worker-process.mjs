/**
 * A service process for tests that kill it: handles `work.do` in the context `work`, appending one event per message.
 * `act: 'fail'` fails for good until the state `mended` is there, `act: 'retry'` as often as it may.
 * What it says: `ready`, `begin <n>`, `end <n>`. Its one argument is JSON: url, namespace, partitions, settings of the
 * subscriber.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Broker,
  NonRetryableError,
  RedisPartitionStore,
  Subscriber,
  Subscriptions,
  UnitOfWork,
} from '@millrace/broker';

const { url, namespace, partitions, settings } = JSON.parse(process.argv[2]);
const say = (line) => process.stdout.write(`${line}\n`);

const store = await RedisPartitionStore.connect({ url, namespace });
const subscriptions = new Subscriptions('work');
subscriptions.add({
  name: 'worker',
  type: 'work.do',
  context: 'work',
  log: 'in',
  handle: async ({ n, key, slowMs = 0, act, tellsId }, { entry, envelope }) => {
    const id = tellsId ? envelope.id : undefined;
    say(`begin ${n}`);
    if (act === 'abort') process.abort();
    if (act === 'exit') process.exit(1);
    const home = entry.source.partition;
    const broken = (act === 'fail' || act === 'retry') && !(await store.readState(home, 'mended'));
    if (broken) throw act === 'fail' ? new NonRetryableError('not mended') : new Error('not mended');
    await sleep(slowMs);
    const append = { kind: 'append', stream: 'done', events: [JSON.stringify({ n, key, pid: process.pid, id })] };
    UnitOfWork.current().stage(entry.source.partition, { writes: [append] });
    say(`end ${n}`);
  },
});
const broker = new Broker(store, { context: 'work', partitions });
const subscriber = new Subscriber(broker, subscriptions, settings);
process.once('SIGTERM', async () => {
  await subscriber.stop();
  await store.close();
});
await subscriber.start();
say('ready');
