import Table from 'cli-table3';
import { median, spread } from '../figures.mjs';

const SCRIPTS = ['eval', 'evalsha', 'fcall'];

/**
 * The tables for people, and lines of JSON, of one case. Millrace is the last of the sides, and compared with each other one.
 *
 * @param titles of the sides
 * @param full rounds of the figures of the sides, with so many in flight
 * @param loads rounds of figures by the name of their load, for how long a saga takes
 */
export function report({ name, titles, full, loads, inFlight, json }) {
  const baselines = titles.slice(0, -1);
  const line = (what, unit, rounds, figure, digits = 2) => {
    if (!json) return;
    const value = rounded(of(rounds, baselines.length, figure), digits);
    for (const [side, baseline] of baselines.entries()) {
      const found = { suite: 'sagas', case: `${name}; ${what}`, unit, value, baseline };
      console.log(JSON.stringify({ ...found, ratio: rounded(ratioOf(rounds, side, figure), 2) }));
    }
  };
  line(`${inFlight} in flight`, 'sagas/s', full, rate, 0);
  line('CPU in all', 'µs/saga', full, cpu, 0);
  line('script calls', 'calls/saga', full, scripts);
  line('acknowledgements', 'calls/saga', full, ({ calls }) => calls.xack ?? 0);
  for (const [load, rounds] of Object.entries(loads)) {
    const [short] = load.split(',');
    line(`p50, ${short}`, 'ms', rounds, ({ p50 }) => p50);
    line(`p99, ${short}`, 'ms', rounds, ({ p99 }) => p99);
  }
  const ratios = baselines.map((title, side) => `${ratioOf(full, side, rate).toFixed(2)} of ${title}`);
  const tables = [rates(titles, full, inFlight), latencies(titles, loads), work(titles, full)];
  console.error([`\n${name}: ratio ${ratios.join('; ')}`, ...tables, ''].join('\n'));
}

const rate = (figures) => figures.rate;
const cpu = (figures) => Object.values(figures.cpu).reduce((sum, micros) => sum + micros, 0);
const scripts = ({ calls }) => SCRIPTS.reduce((sum, command) => sum + (calls[command] ?? 0), 0);

function rates(titles, full, inFlight) {
  const processes = Object.keys(full[0].at(-1).cpu);
  const table = new Table({
    head: [`${inFlight} in flight`, 'sagas/s median (min-max)', ...processes.map((who) => `${who} µs/saga`), 'in all'],
  });
  for (const [side, title] of titles.entries()) {
    const each = processes.map((who) => micros(of(full, side, (figures) => figures.cpu[who])));
    table.push([title, spread(full.map((round) => round[side].rate)), ...each, micros(of(full, side, cpu))]);
  }
  return table;
}

function latencies(titles, loads) {
  const table = new Table({ head: ['p50, p99 in ms', ...Object.keys(loads)] });
  for (const [side, title] of titles.entries()) {
    const both = (rounds) => ['p50', 'p99'].map((at) => of(rounds, side, (each) => each[at]).toFixed(2)).join(', ');
    table.push([title, ...Object.values(loads).map(both)]);
  }
  return table;
}

/** What Redis was asked to do for each saga, what Millrace asks for most often first. */
function work(titles, full) {
  const table = new Table({ head: ['Redis, a saga', ...titles] });
  const add = (counted, least, digits) => {
    const names = new Set(full.flatMap((round) => round.flatMap((figures) => Object.keys(figures[counted]))));
    const count = (side, name) => of(full, side, (figures) => figures[counted][name] ?? 0);
    const rows = [...names].map((name) => [name, ...titles.map((_, side) => count(side, name))]);
    // What is no Redis counts nothing.
    const isCounted = titles.map((_, side) => Object.keys(full[0][side][counted]).length > 0);
    for (const [name, ...counts] of rows.sort((a, b) => b.at(-1) - a.at(-1))) {
      if (Math.max(...counts) < least) continue;
      table.push([name, ...counts.map((each, side) => (isCounted[side] ? each.toFixed(digits) : 'not counted'))]);
    }
  };
  add('calls', 0.01, 2);
  add('bytes', 1, 0);
  return table;
}

function of(rounds, side, figure) {
  return median(rounds.map((round) => figure(round[side])));
}

function ratioOf(rounds, side, figure) {
  return median(rounds.map((round) => figure(round.at(-1)) / figure(round[side])));
}

/** Undefined where it was not measured. */
function rounded(number, digits) {
  return Number.isFinite(number) ? Number(number.toFixed(digits)) : undefined;
}

function micros(number) {
  return Number.isFinite(number) ? number.toFixed(0) : 'not measured';
}
