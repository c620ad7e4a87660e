/** One after the other: appends to streams that are there, and loads of others by a repository that has seen none of them. */
import { Repository } from '@millrace/event-store';
import { ready } from '../child.mjs';
import { fill } from './fill.mjs';
import { appendTo } from './append-to.mjs';
import { Customer, openBroker } from './model.mjs';
import { median } from '../figures.mjs';

const LENGTH = 100;

await ready(async (setting) => {
  const broker = await openBroker(setting);
  const streams = setting.size / LENGTH;
  await fill(broker, { streams, length: LENGTH });
  const append = appendTo(broker, 1);
  const versions = new Map();
  const some = (n, half) => 2 * (n % (streams / 2)) + half;
  let from = 0;
  return {
    handle: async (acts) => {
      const appends = await timed(from, acts, async (n) => {
        const id = some(n, 0);
        const version = versions.get(id) ?? LENGTH;
        if (!(await append(String(id), version, n))) throw new Error(`stream ${id} is not at version ${version}`);
        versions.set(id, version + 1);
      });
      const loads = await timed(from, acts, async (n) => {
        const { orders } = await new Repository(broker, Customer).load(String(some(n, 1)));
        if (orders !== LENGTH) throw new Error(`${orders} events instead of ${LENGTH}`);
      });
      from += acts;
      return { append: median(appends), load: median(loads) };
    },
    close: () => broker.store.close(),
  };
});

/** Microseconds that each took. */
async function timed(from, count, act) {
  const took = [];
  for (let n = from; n < from + count; n++) {
    const begin = performance.now();
    await act(n);
    took.push((performance.now() - begin) * 1000);
  }
  return took;
}
