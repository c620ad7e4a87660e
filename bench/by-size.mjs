/** Times and memory by what is stored already: one Redis for each size, measured in turn, so that all have the same mood. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { chart } from './chart.mjs';
import { median } from './figures.mjs';
import { privateRedis } from './redis.mjs';

/**
 * @param open `(redis, size) => Promise<{ measure, close }>`: stores so much, then measures as often as it is asked; a sample is
 *   an object of numbers
 * @returns `{ server, rows }`; a row has its `size`, the median of each number, and the `memory` of its Redis in the end
 */
export async function bySize({ sizes, rounds, fsync, what, open }) {
  const stores = [];
  try {
    for (const size of sizes) {
      const store = { size, redis: await privateRedis(fsync), samples: [] };
      stores.push(store);
      const begin = performance.now();
      Object.assign(store, await open(store.redis, size));
      console.error(`  ${size} ${what} stored in ${Math.round((performance.now() - begin) / 1000)} s`);
    }
    console.error(`${stores[0].redis.description}, ${rounds} rounds of each size in turn\n`);
    // The first round is for compiling.
    for (const { measure } of stores) await measure();
    for (let i = 0; i < rounds; i++) {
      for (const { samples, measure } of stores) samples.push(await measure());
    }
    for (const store of stores) store.memory = await store.redis.usedBytes();
    return { server: stores[0].redis.description, rows: stores.map(row) };
  } finally {
    await Promise.all(stores.map(closed));
  }
}

function row({ size, samples, memory }) {
  const medians = Object.keys(samples[0]).map((figure) => [figure, median(samples.map((sample) => sample[figure]))]);
  return { size, ...Object.fromEntries(medians), memory };
}

async function closed({ redis, close }) {
  await close?.();
  await redis.stop();
}

/**
 * Plots figures of rows over their sizes.
 *
 * @param series name of a line by the figure it shows
 */
export async function draw(file, { title, unit, rows, series }) {
  const lines = Object.entries(series).map(([figure, name]) => ({ name, values: rows.map((each) => each[figure]) }));
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, chart({ title, unit, sizes: rows.map(({ size }) => size), series: lines }));
  console.error(`written: ${file}`);
}

/** Median µs of acts `from` to `from + count - 1`, one after the other. */
export async function medianTime(from, count, act) {
  const took = [];
  for (let n = from; n < from + count; n++) {
    const begin = performance.now();
    await act(n);
    took.push((performance.now() - begin) * 1000);
  }
  return median(took);
}
