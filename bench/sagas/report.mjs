import Table from 'cli-table3';
import { median, spread } from '../figures.mjs';
import { BY_HAND, MILLRACE } from './sides.mjs';

const TITLES = [BY_HAND.title, MILLRACE.title];
const PROCESSES = ['orchestrator', 'participants', 'customer', 'redis'];
const SCRIPTS = ['eval', 'evalsha', 'fcall'];

/** The tables for people, and lines of JSON: of one case, pairs of figures alone, in full and half load. */
export function report({ name, alone, full, calm, perSecond, inFlight, json }) {
  const line = (what, unit, pairs, figure, digits = 2) => {
    const value = Number(of(pairs, 1, figure).toFixed(digits));
    const ratio = Number(ratioOf(pairs, figure).toFixed(2));
    if (json)
      console.log(
        JSON.stringify({ suite: 'sagas', case: `${name}; ${what}`, unit, value, baseline: TITLES[0], ratio }),
      );
  };
  line(`${inFlight} in flight`, 'sagas/s', full, rate, 0);
  line('CPU, all processes and Redis', 'µs/saga', full, cpu, 0);
  line('script calls', 'calls/saga', full, scripts);
  line('acknowledgements, one of each commit with an input', 'calls/saga', full, ({ calls }) => calls.xack);
  for (const [what, pairs] of [
    ['alone', alone],
    ['half load', calm],
  ]) {
    line(`p50, ${what}`, 'ms', pairs, ({ p50 }) => p50);
    line(`p99, ${what}`, 'ms', pairs, ({ p99 }) => p99);
  }
  console.error(`\n${name}: ratio ${ratioOf(full, rate).toFixed(2)} of ${TITLES[0]}\n${loadTable(full, inFlight)}`);
  console.error(
    `${latencyTable({ alone, full, calm, perSecond })}\n${TITLES.map((_, side) => callsOf(full, side)).join('\n')}\n`,
  );
}

const rate = (figures) => figures.rate;
const cpu = (figures) => PROCESSES.reduce((sum, who) => sum + figures[who], 0);
const scripts = ({ calls }) => SCRIPTS.reduce((sum, command) => sum + (calls[command] ?? 0), 0);

function loadTable(full, inFlight) {
  const table = new Table({
    head: [`${inFlight} in flight`, 'sagas/s median (min-max)', ...PROCESSES.map((who) => `${who} µs/saga`), 'in all'],
  });
  for (const [side, title] of TITLES.entries()) {
    const each = PROCESSES.map((who) => of(full, side, (figures) => figures[who]).toFixed(0));
    table.push([title, spread(full.map((pair) => pair[side].rate)), ...each, of(full, side, cpu).toFixed(0)]);
  }
  return table;
}

function latencyTable({ alone, full, calm, perSecond }) {
  const table = new Table({ head: ['p50, p99 in ms', 'alone', `half load, ${perSecond}/s`, 'full load'] });
  for (const [side, title] of TITLES.entries()) {
    const both = (pairs) =>
      ['p50', 'p99'].map((figure) => of(pairs, side, (each) => each[figure]).toFixed(2)).join(', ');
    table.push([title, both(alone), both(calm), both(full)]);
  }
  return table;
}

/** What Redis was asked to do in the last round, most often first. */
function callsOf(full, side) {
  const calls = Object.entries(full.at(-1)[side].calls).filter(([, count]) => count >= 0.01);
  const sorted = calls.sort(([, a], [, b]) => b - a).map(([command, count]) => `${command} ${count.toFixed(2)}`);
  return `Redis a saga, ${TITLES[side]}: ${sorted.join(', ')}`;
}

function of(pairs, side, figure) {
  return median(pairs.map((pair) => figure(pair[side])));
}

function ratioOf(pairs, figure) {
  return median(pairs.map(([theirs, millrace]) => figure(millrace) / figure(theirs)));
}
