/** Places orders by hand, and reads how the sagas end. */
import { Redis } from 'ioredis';
import { ready } from '../child.mjs';
import { keysOf } from './by-hand.mjs';
import { Customer, watch } from './customer.mjs';

await ready(async (setting) => {
  const { url, namespace } = setting;
  const keys = keysOf(namespace);
  const redis = new Redis(url, { enableAutoPipelining: true });
  const customer = new Customer((order) => redis.xadd(keys.orders, '*', 'message', JSON.stringify(order)), setting);
  const unwatch = watch(url, [keys.ended], (text) => {
    const { id, outcome } = JSON.parse(text);
    customer.ended(id, outcome);
  });
  return {
    handle: (act) => customer.run(act),
    close: async () => {
      await unwatch();
      await redis.quit();
    },
  };
});
