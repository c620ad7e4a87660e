/** Folds all feeds by hand: pages of XRANGE, parsed, into rows in memory. Nothing is written. */
import { Redis } from 'ioredis';
import { ready } from '../child.mjs';
import { rowIds } from './row-ids.mjs';

const PAGE = 500;

await ready(async ({ url, rows: wanted }) => {
  const redis = new Redis(url);
  const feeds = await redis.keys('*:feed');
  return {
    handle: async (events) => {
      const rowOf = rowIds(wanted);
      const folded = await Promise.all(feeds.map((feed) => fold(redis, feed, rowOf)));
      const found = folded.reduce((sum, rows) => sum + count(rows), 0);
      if (found !== events) throw new Error(`${found} events instead of ${events}`);
    },
    close: () => redis.quit(),
  };
});

async function fold(redis, feed, rowOf) {
  const rows = new Map();
  for (let last = '0'; ;) {
    const page = await redis.xrange(feed, `(${last}`, '+', 'COUNT', PAGE);
    if (page.length === 0) return rows;
    for (const [, fields] of page) {
      const { data } = JSON.parse(fields[1]);
      const id = rowOf(data.orderId);
      const row = rows.get(id) ?? { orders: 0, total: 0 };
      rows.set(id, { orders: row.orders + 1, total: row.total + data.total });
    }
    last = page.at(-1)[0];
  }
}

function count(rows) {
  return [...rows.values()].reduce((sum, { orders }) => sum + orders, 0);
}
