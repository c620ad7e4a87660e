/**
 * A service process that runs a saga `order` in the versions that it is told, in the context `work`. Says `ready`, and what the
 * saga does: `<id> v<version> <step>`. Its one argument is JSON: url, namespace, partitions, settings: versions.
 */
import { Broker, RedisPartitionStore, Subscriber, Subscriptions } from '@millrace/broker';
import { Event } from '@millrace/messages';
import { Orchestrator, saga, SagaDefinitions, SagaInstances, SagaLocks } from '@millrace/saga';
import { IsString } from 'class-validator';

const { url, namespace, partitions, settings } = JSON.parse(process.argv[2]);
const { versions, ...rest } = settings;
const say = (line) => process.stdout.write(`${line}\n`);

class Ordered {}
IsString()(Ordered.prototype, 'id');
Event('work.ordered', { key: 'id' })(Ordered);
class Paid {}
IsString()(Paid.prototype, 'id');
Event('work.paid', { key: 'id' })(Paid);

function order(version) {
  const does = (step) => (s) => s.calls(({ id }) => say(`${id} v${version} ${step}`));
  const begun = saga()
    .startsOn(Ordered, ({ id }) => ({ id }))
    .step('reserve', does('reserve'))
    .waitFor('payment', Paid);
  const packed = version > 1 ? begun.step('pack', does('pack')) : begun;
  return packed.step('ship', does('ship')).named('order', version);
}

const store = await RedisPartitionStore.connect({ url, namespace });
const broker = new Broker(store, { context: 'work', partitions });
const subscriptions = new Subscriptions('work');
const instances = new SagaInstances(broker, new SagaDefinitions());
const orchestrator = new Orchestrator('work', subscriptions, instances, new SagaLocks(broker));
for (const version of versions) orchestrator.add(order(version));
const subscriber = new Subscriber(broker, subscriptions, rest);
process.once('SIGTERM', async () => {
  await subscriber.stop();
  await store.close();
});
await subscriber.start();
say('ready');
