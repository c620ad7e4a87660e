/** The saga as a Restate workflow with durable steps, after its guide to sagas; endpoint and client in one process. */
import { once } from 'node:events';
import { createServer } from 'node:http2';
import { ready } from '../child.mjs';
import { LOCAL, localCustomer } from './local.mjs';

// The SDK needs it, and Node 20 has none.
Promise.withResolvers ??= function () {
  const parts = {};
  parts.promise = new this((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
};

// A line for every step of every workflow, otherwise.
process.env.RESTATE_LOGGING = 'ERROR';

// Installed beside this file when they are first needed, so they are found by their path.
const installed = (name) => import(new URL(`restate/node_modules/@restatedev/${name}/dist/index.js`, import.meta.url));
const { createEndpointHandler, TerminalError, workflow } = await installed('restate-sdk');
const { connect } = await installed('restate-sdk-clients');

await ready(async (setting) => {
  const placeOrder = workflow({ name: 'place-order', handlers: { run: sagaOf(setting.delivers) } });
  const server = createServer(createEndpointHandler({ services: [placeOrder] })).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const registered = await fetch(`${setting.admin}/deployments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ uri: `http://127.0.0.1:${server.address().port}`, force: true }),
  });
  if (!registered.ok) throw new Error(`Restate refuses the service: ${await registered.text()}`);
  const ingress = connect({ url: setting.ingress });
  const customer = localCustomer(setting, async (order) => {
    const client = ingress.workflowClient(placeOrder, order.orderId);
    const submission = await client.workflowSubmit(order);
    return ingress.result(submission);
  });
  const close = async () => {
    server.close();
    // Restate keeps its connections.
    server.closeAllConnections?.();
    setImmediate(() => process.exit(0));
  };
  return { handle: (act) => customer.run(act), close };
});

function sagaOf(delivers) {
  return async (ctx, order) => {
    const undo = [];
    try {
      const stock = await ctx.run('reserve stock', () => LOCAL.reserveStock(order));
      undo.unshift(() => ctx.run('release stock', () => LOCAL.releaseStock({ ...order, ...stock })));
      const payment = await ctx.run('take payment', () => LOCAL.takePayment(order));
      undo.unshift(() => ctx.run('refund payment', () => LOCAL.refundPayment({ ...order, ...payment })));
      await ctx.run('book delivery', () => {
        if (!delivers) throw new TerminalError('nobody delivers there');
        return LOCAL.bookDelivery(order);
      });
      return 'completed';
    } catch (error) {
      if (!(error instanceof TerminalError)) throw error;
      for (const compensation of undo) await compensation();
      return 'compensated';
    }
  };
}
