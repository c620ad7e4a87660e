import Table from 'cli-table3';
import { median, spread } from '../figures.mjs';

const SCRIPTS = ['eval', 'evalsha', 'fcall'];

/**
 * The tables for people, and lines of JSON, of one case.
 *
 * @param titles of the other side, and of Millrace
 * @param full pairs of figures with so many in flight
 * @param loads pairs of figures by the name of their load, for how long a saga takes
 */
export function report({ name, titles, full, loads, inFlight, json }) {
  const line = (what, unit, pairs, figure, digits = 2) => {
    if (!json) return;
    const value = rounded(of(pairs, 1, figure), digits);
    const found = { suite: 'sagas', case: `${name}; ${what}`, unit, value, baseline: titles[0] };
    console.log(JSON.stringify({ ...found, ratio: rounded(ratioOf(pairs, figure), 2) }));
  };
  line(`${inFlight} in flight`, 'sagas/s', full, rate, 0);
  line('CPU in all', 'µs/saga', full, cpu, 0);
  line('script calls', 'calls/saga', full, scripts);
  line('acknowledgements', 'calls/saga', full, ({ calls }) => calls.xack ?? 0);
  for (const [load, pairs] of Object.entries(loads)) {
    const [short] = load.split(',');
    line(`p50, ${short}`, 'ms', pairs, ({ p50 }) => p50);
    line(`p99, ${short}`, 'ms', pairs, ({ p99 }) => p99);
  }
  const heading = `\n${name}: ratio ${ratioOf(full, rate).toFixed(2)} of ${titles[0]}`;
  const calls = titles.map((title, side) => `Redis a saga, ${title}: ${callsOf(full, side)}`);
  console.error([heading, rates(titles, full, inFlight), latencies(titles, loads), ...calls, ''].join('\n'));
}

const rate = (figures) => figures.rate;
const cpu = (figures) => Object.values(figures.cpu).reduce((sum, micros) => sum + micros, 0);
const scripts = ({ calls }) => SCRIPTS.reduce((sum, command) => sum + (calls[command] ?? 0), 0);

function rates(titles, full, inFlight) {
  const processes = Object.keys(full[0][1].cpu);
  const table = new Table({
    head: [`${inFlight} in flight`, 'sagas/s median (min-max)', ...processes.map((who) => `${who} µs/saga`), 'in all'],
  });
  for (const [side, title] of titles.entries()) {
    const each = processes.map((who) => micros(of(full, side, (figures) => figures.cpu[who])));
    table.push([title, spread(full.map((pair) => pair[side].rate)), ...each, micros(of(full, side, cpu))]);
  }
  return table;
}

function latencies(titles, loads) {
  const table = new Table({ head: ['p50, p99 in ms', ...Object.keys(loads)] });
  for (const [side, title] of titles.entries()) {
    const both = (pairs) => ['p50', 'p99'].map((at) => of(pairs, side, (each) => each[at]).toFixed(2)).join(', ');
    table.push([title, ...Object.values(loads).map(both)]);
  }
  return table;
}

/** What Redis was asked to do in the last round, most often first. */
function callsOf(full, side) {
  const calls = Object.entries(full.at(-1)[side].calls).filter(([, count]) => count >= 0.01);
  const sorted = calls.sort(([, a], [, b]) => b - a);
  return sorted.map(([command, count]) => `${command} ${count.toFixed(2)}`).join(', ') || 'not counted';
}

function of(pairs, side, figure) {
  return median(pairs.map((pair) => figure(pair[side])));
}

function ratioOf(pairs, figure) {
  return median(pairs.map(([theirs, millrace]) => figure(millrace) / figure(theirs)));
}

/** Undefined where it was not measured. */
function rounded(number, digits) {
  return Number.isFinite(number) ? Number(number.toFixed(digits)) : undefined;
}

function micros(number) {
  return Number.isFinite(number) ? number.toFixed(0) : 'not measured';
}
