/** Sagas that wait: what each weighs, and whether others start and are found as fast however many there are. */
import Table from 'cli-table3';
import { bySize, draw } from '../by-size.mjs';
import { child } from '../child.mjs';
import { here } from './sides.mjs';

const SIZES = [1e3, 1e4, 1e5, 1e6];
/** Sagas that are started, and found, in a round; of few, a tenth of them. */
const ACTS = 500;

/** @param figure file that the plot is written to; undefined: none */
export async function waiting({ json, waiting: most, rounds, fsync, figure }) {
  const sizes = SIZES.filter((each) => each <= most);
  if (sizes.length === 0) throw new Error(`--waiting ${most} is too few: ${SIZES[0]} at least`);
  const { rows, server } = await bySize({ sizes, rounds, fsync, what: 'waiting sagas', open });
  show(rows, json);
  if (!figure) return;
  const title = `Median time by waiting sagas, one at a time (${server})`;
  await draw(figure, {
    title,
    unit: 'µs',
    rows,
    series: { start: 'start another', find: 'find one by its id', findByKey: 'find one by its key' },
  });
}

async function open(redis, size) {
  const process = await child(here('waiting.child.mjs'), { url: redis.url, namespace: 'waiting', size });
  const before = await redis.usedBytes();
  await process.run('fill');
  const bytes = ((await redis.usedBytes()) - before) / size;
  return {
    measure: async () => {
      const { start, find, findByKey } = await process.run(Math.min(ACTS, size / 10));
      return { start, find, findByKey, bytes };
    },
    close: () => process.close(),
  };
}

function show(rows, json) {
  const table = new Table({
    head: [
      'waiting sagas',
      'start another, µs',
      'find one by id, µs',
      'by key, µs',
      'bytes a saga',
      'memory of Redis, MiB',
    ],
  });
  for (const { size, start, find, findByKey, bytes, memory } of rows) {
    table.push([size, ...[start, find, findByKey, bytes, memory / 1024 / 1024].map((figure) => figure.toFixed(0))]);
    if (!json) continue;
    const line = (name, unit, value) =>
      console.log(JSON.stringify({ suite: 'sagas', case: `${size} waiting: ${name}`, unit, value: Math.round(value) }));
    line('start another', 'µs', start);
    line('find one by its id', 'µs', find);
    line('find one by its key', 'µs', findByKey);
    line('memory of each', 'bytes', bytes);
  }
  console.error(`\n${table}\n`);
}
