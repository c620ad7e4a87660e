/** Publishes orders through Millrace, and reads in the feeds of the saga's service how the sagas end. */
import { Publisher } from '@millrace/broker';
import { ready } from '../child.mjs';
import { openBroker } from '../event-store/model.mjs';
import { orderPlaced } from '../messages/contract.mjs';
import { Customer } from './customer.mjs';
import { watchSagas } from './millrace.logs.mjs';
import { PLACE_ORDER } from './place-order.mjs';

await ready(async (setting) => {
  const broker = await openBroker(setting);
  const publisher = new Publisher(broker);
  const customer = new Customer((order) => publisher.publish(orderPlaced(order)), setting);
  const unwatch = await watchSagas(setting, broker, PLACE_ORDER, 'saga.ended', customer);
  return {
    handle: (act) => customer.run(act),
    close: async () => {
      await unwatch();
      await broker.store.close();
    },
  };
});
