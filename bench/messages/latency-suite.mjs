import Table from 'cli-table3';
import { median } from '../figures.mjs';
import { round } from './rounds.mjs';
import { MILLRACE } from './sides.mjs';

/** Of one round, at the offered load. */
const SECONDS = 5;

/**
 * From the time a message should have been sent to its handler, while both sides get half of what the slower one can do at
 * most (as measured just before).
 */
export async function compareLatency({ redis, peer, name, setting, pairs, rounds, json }) {
  const most = (side) => median(pairs.map((pair) => pair[side].rate));
  const perSecond = Math.round(Math.min(most('theirs'), most('millrace')) / 2);
  const measure = (side) => round(redis, side, perSecond * SECONDS, { ...setting, perSecond });
  const runs = { theirs: [], millrace: [] };
  for (let i = 0; i < rounds; i++) {
    runs.theirs.push(await measure(peer));
    runs.millrace.push(await measure(MILLRACE));
  }
  const of = (side, figure) => median(runs[side].map((each) => each[figure]));
  const ratio = median(runs.millrace.map(({ p99 }, i) => p99 / runs.theirs[i].p99));
  const case_ = `${name}; p99 at half load`;
  if (json) {
    const line = { suite: 'messages', case: case_, unit: 'ms', value: Number(of('millrace', 'p99').toFixed(2)) };
    console.log(JSON.stringify({ ...line, baseline: peer.title, ratio: Number(ratio.toFixed(2)) }));
  }
  const table = new Table({ head: ['', 'p50 ms', 'p99 ms', 'p99.9 ms', 'max ms', 'consumer µs/msg'] });
  for (const [side, title] of [
    ['theirs', peer.title],
    ['millrace', 'Millrace'],
  ]) {
    const figures = ['p50', 'p99', 'p999', 'max'].map((figure) => of(side, figure).toFixed(2));
    table.push([title, ...figures, of(side, 'consumer').toFixed(1)]);
  }
  console.error(`${case_}, ${perSecond} msg/s: ratio ${ratio.toFixed(2)} of ${peer.title}\n${table}\n`);
}
