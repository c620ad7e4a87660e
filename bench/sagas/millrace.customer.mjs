/** Publishes orders through Millrace, and reads in the feeds of the saga's service how the sagas end. */
import { KeyBuilder, Publisher } from '@millrace/broker';
import { ready } from '../child.mjs';
import { openBroker } from '../event-store/model.mjs';
import { orderPlaced } from '../messages/contract.mjs';
import { Customer, watch } from './customer.mjs';
import { PLACE_ORDER } from './place-order.mjs';

await ready(async (setting) => {
  const broker = await openBroker(setting);
  const publisher = new Publisher(broker);
  const customer = new Customer((order) => publisher.publish(orderPlaced(order)), setting);
  const unwatch = watch(setting.url, await feedsOf(broker, setting.namespace), (text) => {
    if (!text.includes('"saga.ended"')) return;
    const { id, outcome } = JSON.parse(text).data;
    customer.ended(id, outcome);
  });
  return {
    handle: (act) => customer.run(act),
    close: async () => {
      await unwatch();
      await broker.store.close();
    },
  };
});

async function feedsOf(broker, namespace) {
  const keys = new KeyBuilder(namespace);
  const partitions = await broker.partitionsOf(PLACE_ORDER);
  return Array.from({ length: partitions }, (_, index) =>
    keys.log({ partition: { context: PLACE_ORDER, index }, log: 'feed' }),
  );
}
