/**
 * A service process for tests that end it: a handler for every instance of `work.changed`. What it says: `ready`, `saw <n>`.
 * Its one argument is JSON: url, namespace, partitions, settings of the subscriber.
 */
import { Broker, RedisPartitionStore, Subscriber, Subscriptions } from '@millrace/broker';

const { url, namespace, partitions, settings } = JSON.parse(process.argv[2]);
const say = (line) => process.stdout.write(`${line}\n`);

const store = await RedisPartitionStore.connect({ url, namespace });
const subscriptions = new Subscriptions('work');
subscriptions.add({
  name: 'Cache.changed',
  type: 'work.changed',
  context: 'work',
  log: 'feed',
  everyInstance: true,
  handle: ({ n }) => say(`saw ${n}`),
});
const subscriber = new Subscriber(new Broker(store, { context: 'work', partitions }), subscriptions, settings);
process.once('SIGTERM', async () => {
  await subscriber.stop();
  await store.close();
});
await subscriber.start();
say('ready');
