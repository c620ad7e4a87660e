/**
 * A service process for tests that freeze it: handles `work.do` and `work.undo` in the context `work`, each by one event in the
 * stream `ledger`, in the partition `home` of its data or that of the message. `slowMs` of `work.do` pass before its commit.
 * What it says: `ready`, `begin <n>`, `undo <n>`. Its one argument is JSON: url (or the nodes of a cluster as JSON), namespace,
 * partitions, settings of the subscriber.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Broker, RedisPartitionStore, Subscriber, Subscriptions, UnitOfWork } from '@millrace/broker';

const { url, namespace, partitions, settings } = JSON.parse(process.argv[2]);
const say = (line) => process.stdout.write(`${line}\n`);

const store = await RedisPartitionStore.connect({
  ...(url.startsWith('[') ? { cluster: JSON.parse(url) } : { url }),
  namespace,
});
const subscriptions = new Subscriptions('work');
const note = ({ home }, { entry }, what) => {
  const { partition } = entry.source;
  const events = [JSON.stringify(what)];
  const writes = [{ kind: 'append', stream: 'ledger', events }];
  UnitOfWork.current().stage({ ...partition, index: home ?? partition.index }, { writes });
};
subscriptions.add({
  name: 'doing',
  type: 'work.do',
  context: 'work',
  log: 'in',
  handle: async (data, context) => {
    say(`begin ${data.n}`);
    await sleep(data.slowMs ?? 0);
    note(data, context, { did: data.n });
  },
});
subscriptions.add({
  name: 'undoing',
  type: 'work.undo',
  context: 'work',
  log: 'in',
  handle: (data, context) => {
    say(`undo ${data.n}`);
    note(data, context, { undid: data.n });
  },
});
const subscriber = new Subscriber(new Broker(store, { context: 'work', partitions }), subscriptions, settings);
process.once('SIGTERM', async () => {
  await subscriber.stop();
  await store.close();
});
await subscriber.start();
say('ready');
