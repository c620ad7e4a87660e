/** The saga as a DBOS workflow with durable steps, in the process that starts it. */
import { ready } from '../child.mjs';
import { LOCAL, localCustomer } from './local.mjs';

// Installed beside this file when it is first needed, so it is found by its path.
const { DBOS } = (await import(new URL('dbos/node_modules/@dbos-inc/dbos-sdk/dist/src/index.js', import.meta.url)))
  .default;

class NoDelivery extends Error {}

await ready(async (setting) => {
  const placeOrder = DBOS.registerWorkflow(sagaOf(setting.delivers), { name: 'place-order' });
  DBOS.setConfig({ name: 'bench', systemDatabaseUrl: setting.url, logLevel: 'error' });
  await DBOS.launch();
  const customer = localCustomer(setting, async (order) => {
    const handle = await DBOS.startWorkflow(placeOrder, { workflowID: order.orderId })(order);
    return handle.getResult();
  });
  return { handle: (act) => customer.run(act), close: () => DBOS.shutdown() };
});

function sagaOf(delivers) {
  const step = (name, body) => DBOS.runStep(body, { name });
  return async (order) => {
    const undo = [];
    try {
      const stock = await step('reserve stock', () => LOCAL.reserveStock(order));
      undo.unshift(() => step('release stock', () => LOCAL.releaseStock({ ...order, ...stock })));
      const payment = await step('take payment', () => LOCAL.takePayment(order));
      undo.unshift(() => step('refund payment', () => LOCAL.refundPayment({ ...order, ...payment })));
      await step('book delivery', async () => {
        if (!delivers) throw new NoDelivery('nobody delivers there');
        return LOCAL.bookDelivery(order);
      });
      return 'completed';
    } catch (error) {
      if (!(error instanceof NoDelivery)) throw error;
      for (const compensation of undo) await compensation();
      return 'compensated';
    }
  };
}
