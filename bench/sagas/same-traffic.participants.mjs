/** The participants by hand, with the traffic of Millrace: each command is answered, unless its effect has been undone. */
import { Redis } from 'ioredis';
import { ready } from '../child.mjs';
import { words } from './order.mjs';
import { SharedKeys } from './same-traffic.commits.mjs';
import { clock, reply } from './same-traffic.events.mjs';
import { partitionsOf, SAGAS, SHOP } from './same-traffic.keys.mjs';
import { consume } from './same-traffic.mjs';
import { answer, answerAndUndo, answerUnlessUndone } from './same-traffic.scripts.mjs';

const UNDONE_FOR_MS = 7 * 24 * 3600 * 1000;

await ready(async ({ url, namespace, delivers }) => {
  const [shop, sagas] = [SHOP, SAGAS].map((context) => partitionsOf(namespace, context));
  const writer = new Redis(url);
  const sharedKeys = new SharedKeys();
  const success = (type, data) => ({ type, outcome: 'success', data });
  const answers = {
    'shop.reserve-stock': (command) => success('shop.stock-reserved', words.stockReserved(command)),
    'shop.release-stock': () => success('shop.stock-released', words.nothing()),
    'shop.take-payment': (command) => success('shop.payment-taken', words.paymentTaken(command)),
    'shop.refund-payment': () => success('shop.payment-refunded', words.nothing()),
    'shop.book-delivery': (command) =>
      delivers
        ? success('shop.delivery-booked', words.deliveryBooked(command))
        : { type: 'shop.no-delivery', outcome: 'failure', data: words.noDelivery() },
    'shop.reject-order': () => success('shop.order-rejected', words.nothing()),
  };

  const handle = (arrivals, commits) => {
    const now = clock().text;
    for (const { partition, stream, entry, event } of arrivals) {
      const { id, source, type, replyto, effectid, undoes } = event;
      const text = reply(`/${SHOP}`, event, now, answers[type](event.data));
      const shared = sharedKeys.of(partition.lease(SHOP), stream, []);
      const inbox = sagas[Number(replyto.slice(SAGAS.length + 1))].inbox;
      if (undoes !== undefined) {
        const by = JSON.stringify({ id, source, type });
        commits.add(answerAndUndo, shared, [inbox, partition.tombstone(undoes)], [entry, text, by, UNDONE_FOR_MS]);
      } else if (effectid !== undefined) {
        commits.add(answerUnlessUndone, shared, [inbox, partition.tombstone(effectid)], [entry, text]);
      } else commits.add(answer, shared, [inbox], [entry, text]);
    }
  };

  const end = await consume({ url, group: SHOP, partitions: shop, log: 'inbox', writer, handle });
  return {
    close: async () => {
      await end();
      await writer.quit();
    },
  };
});
