/** One after the other: appends to streams that are there, and loads of others by a repository that has seen none of them. */
import { Repository } from '@millrace/event-store';
import { medianTime } from '../by-size.mjs';
import { ready } from '../child.mjs';
import { fill } from './fill.mjs';
import { appendTo } from './append-to.mjs';
import { Customer, openBroker } from './model.mjs';

const LENGTH = 100;

await ready(async (setting) => {
  const broker = await openBroker(setting);
  const streams = setting.size / LENGTH;
  await fill(broker, { streams, length: LENGTH });
  const appendOne = appendTo(broker, 1);
  const versions = new Map();
  const some = (n, half) => 2 * (n % (streams / 2)) + half;
  let from = 0;
  return {
    handle: async (acts) => {
      const append = await medianTime(from, acts, async (n) => {
        const id = some(n, 0);
        const version = versions.get(id) ?? LENGTH;
        if (!(await appendOne(String(id), version, n))) throw new Error(`stream ${id} is not at version ${version}`);
        versions.set(id, version + 1);
      });
      const load = await medianTime(from, acts, async (n) => {
        const { orders } = await new Repository(broker, Customer).load(String(some(n, 1)));
        if (orders !== LENGTH) throw new Error(`${orders} events instead of ${LENGTH}`);
      });
      from += acts;
      return { append, load };
    },
    close: () => broker.store.close(),
  };
});
