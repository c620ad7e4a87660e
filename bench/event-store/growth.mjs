/** Append and load times by what is stored already. */
import Table from 'cli-table3';
import { bySize, draw } from '../by-size.mjs';
import { child } from '../child.mjs';
import { here } from './cases.mjs';

const SIZES = [1e4, 1e5, 1e6, 1e7];
/** Appends, and loads, of a round. */
const ACTS = 1000;
/** Appends of a round with 100 writers. */
const APPENDS = 5000;

/** @param figure file that the plot is written to; undefined: none */
export async function growth({ json, events, rounds, fsync, figure }) {
  const sizes = SIZES.filter((each) => each <= events);
  const { rows, server } = await bySize({ sizes, rounds, fsync, what: 'events', open });
  show(rows, json);
  if (!figure) return;
  const title = `Median time by events in the store, one at a time (${server})`;
  const series = { load: 'load an aggregate of 100 events', append: 'append with expected version' };
  await draw(figure, { title, unit: 'µs', rows, series });
}

async function open(redis, size) {
  const setting = { url: redis.url, namespace: 'growth', size };
  const one = await child(here('growth.child.mjs'), setting);
  const many = await child(here('append.millrace.mjs'), { ...setting, writers: 100, events: 1 });
  return {
    measure: async () => {
      const { append, load } = await one.run(ACTS);
      const begin = performance.now();
      await many.run(APPENDS);
      return { append, load, rate: APPENDS / ((performance.now() - begin) / 1000) };
    },
    close: () => Promise.all([one.close(), many.close()]),
  };
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
