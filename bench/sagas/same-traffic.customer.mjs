/** Places orders by hand, those of one turn of the event loop in one script call, and reads in the sagas' feeds how they end. */
import { Redis } from 'ioredis';
import { ready } from '../child.mjs';
import { Customer, watch } from './customer.mjs';
import { clock, orderPlaced } from './same-traffic.events.mjs';
import { ORDERS, partitionOf, partitionsOf, SAGAS } from './same-traffic.keys.mjs';
import { run } from './same-traffic.commits.mjs';
import { publish } from './same-traffic.scripts.mjs';

await ready(async (setting) => {
  const { url, namespace } = setting;
  const [orders, sagas] = [ORDERS, SAGAS].map((context) => partitionsOf(namespace, context));
  const redis = new Redis(url);
  let call;

  const send = () => {
    const texts = new Map();
    for (const [feed, text] of call.events) {
      const some = texts.get(feed);
      if (some) some.push(text);
      else texts.set(feed, [text]);
    }
    const args = [...texts.values()].flatMap((some) => [some.length, ...some]);
    call = undefined;
    return run(redis, publish, [...texts.keys()], args);
  };
  const place = (order) => {
    call ??= { events: [], sent: new Promise((resolve) => setImmediate(resolve)).then(send) };
    call.events.push([orders[partitionOf(order.orderId)].feed, orderPlaced(`/${ORDERS}`, order, clock().text)]);
    return call.sent;
  };

  const customer = new Customer(place, setting);
  const feeds = sagas.map(({ feed }) => feed);
  const unwatch = watch(url, feeds, (text) => {
    if (!text.includes('"saga.ended"')) return;
    const { id, outcome } = JSON.parse(text).data;
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
