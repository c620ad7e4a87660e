/** Append and load times by what is stored already: one Redis for each size, measured in turn, so that all have the same mood. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import Table from 'cli-table3';
import { child } from '../child.mjs';
import { median } from '../figures.mjs';
import { privateRedis } from '../redis.mjs';
import { here } from './cases.mjs';
import { chart } from './chart.mjs';

const SIZES = [1e4, 1e5, 1e6, 1e7];
/** Appends, and loads, of a round. */
const ACTS = 1000;
/** Appends of a round with 100 writers. */
const APPENDS = 5000;

/** @param figure file that the plot is written to; undefined: none */
export async function growth({ json, events, rounds, fsync, figure }) {
  const stores = [];
  try {
    for (const size of SIZES.filter((each) => each <= events)) stores.push(await open(size, fsync));
    console.error(`${stores[0].redis.description}, ${rounds} rounds of each size in turn\n`);
    for (let i = 0; i <= rounds; i++) {
      // The first round is for compiling.
      for (const store of stores) await measure(store, i > 0);
    }
    for (const store of stores) store.memory = await store.redis.usedBytes();
  } finally {
    await Promise.all(stores.map(({ close }) => close()));
  }
  const rows = stores.map(summary);
  show(rows, json);
  if (figure) await draw(figure, rows, stores[0].redis.description);
}

async function open(size, fsync) {
  const redis = await privateRedis(fsync);
  const setting = { url: redis.url, namespace: 'growth', size };
  const begin = performance.now();
  const one = await child(here('growth.child.mjs'), setting);
  console.error(`  ${size} events stored in ${Math.round((performance.now() - begin) / 1000)} s`);
  const many = await child(here('append.millrace.mjs'), { ...setting, writers: 100, events: 1 });
  const close = async () => {
    await Promise.all([one.close(), many.close()]);
    await redis.stop();
  };
  return { size, redis, one, many, close, samples: [] };
}

async function measure({ one, many, samples }, counts) {
  const { append, load } = await one.run(ACTS);
  const begin = performance.now();
  await many.run(APPENDS);
  const rate = APPENDS / ((performance.now() - begin) / 1000);
  if (counts) samples.push({ append, load, rate });
}

function summary({ size, samples, memory }) {
  const of = (figure) => median(samples.map((sample) => sample[figure]));
  return { size, append: of('append'), load: of('load'), rate: of('rate'), memory };
}

function show(rows, json) {
  const table = new Table({
    head: ['events', 'append, µs', 'load of 100 events, µs', 'appends/s, 100 writers', 'memory of Redis, MiB'],
  });
  for (const { size, append, load, rate, memory } of rows) {
    table.push([size, append.toFixed(0), load.toFixed(0), rate.toFixed(0), (memory / 1024 / 1024).toFixed(0)]);
    if (!json) continue;
    const line = (name, unit, value) =>
      console.log(
        JSON.stringify({
          suite: 'event-store',
          case: `growth to ${size} events: ${name}`,
          unit,
          value: Math.round(value),
        }),
      );
    line('append, one at a time', 'µs', append);
    line('load of an aggregate of 100 events, one at a time', 'µs', load);
    line('append, 100 writers', 'events/s', rate);
    line('memory of Redis', 'bytes', memory);
  }
  console.error(`\n${table}\n`);
}

async function draw(file, rows, server) {
  const series = [
    { name: 'load an aggregate of 100 events', values: rows.map(({ load }) => load) },
    { name: 'append with expected version', values: rows.map(({ append }) => append) },
  ];
  const title = `Median time by events in the store, one at a time (${server})`;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, chart({ title, unit: 'µs', sizes: rows.map(({ size }) => size), series }));
  console.error(`written: ${file}`);
}
