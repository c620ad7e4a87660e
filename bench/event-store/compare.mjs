import Table from 'cli-table3';
import { child } from '../child.mjs';
import { median, spread } from '../figures.mjs';

/** Of a round's work, done once by each side before the clock starts. */
const WARM_UP = 0.2;

/**
 * One case, A B A B: both sides are processes that stay from round to round and have the same Redis.
 *
 * @param compared `{ name, unit, count, scale, theirs: side, millrace: side }`; a side is `{ title, file, setting, share }`:
 *   a round asks it for `count * share` acts, each of which is worth `scale` units. A side with a `server` of its own has its
 *   CPU looked at there.
 */
export async function compare(server, compared, rounds) {
  const { name, count, scale = 1, unit } = compared;
  const sides = await Promise.all([compared.theirs, compared.millrace].map((side) => open({ server, ...side }, count)));
  const [theirs, millrace] = sides;
  try {
    for (const side of sides) await side.process.run(Math.ceil(side.acts * (compared.warmUp ?? WARM_UP)));
    const pairs = [];
    for (let i = 0; i < rounds; i++) {
      const pair = { theirs: await round(theirs, scale), millrace: await round(millrace, scale) };
      pair.ratio = pair.millrace.rate / pair.theirs.rate;
      pairs.push(pair);
      const rates = `${Math.round(pair.millrace.rate)} ${unit}, ${theirs.title} ${Math.round(pair.theirs.rate)}`;
      console.error(`  ${name}: ${rates}, ratio ${pair.ratio.toFixed(2)}`);
    }
    return pairs;
  } finally {
    await Promise.all(sides.map((side) => side.process.close()));
  }
}

async function open(side, count) {
  return {
    ...side,
    acts: Math.ceil(count * (side.share ?? 1)),
    process: await child(side.file, side.setting, side.execArgv),
  };
}

async function round({ server, process, acts }, scale) {
  const cpuBefore = await server.cpuSeconds();
  const begin = performance.now();
  const { cpuSeconds } = await process.run(acts);
  const seconds = (performance.now() - begin) / 1000;
  const micros = (cpu) => (cpu * 1e6) / (acts * scale);
  return {
    rate: (acts * scale) / seconds,
    node: micros(cpuSeconds),
    server: micros((await server.cpuSeconds()) - cpuBefore),
  };
}

/** The table for people, and one line of JSON. */
export function report({ name, unit, theirs }, pairs, json) {
  const ratio = median(pairs.map((pair) => pair.ratio));
  if (json) {
    const value = Math.round(median(pairs.map(({ millrace }) => millrace.rate)));
    const line = { suite: 'event-store', case: name, unit, value, baseline: theirs.title };
    console.log(JSON.stringify({ ...line, ratio: Number(ratio.toFixed(2)) }));
  }
  const table = new Table({ head: ['', `${unit} median (min-max)`, 'Node µs each', 'server µs each'] });
  for (const [side, title] of [
    ['theirs', theirs.title],
    ['millrace', 'Millrace'],
  ]) {
    const cpu = (who) => micros(median(pairs.map((pair) => pair[side][who])));
    table.push([title, spread(pairs.map((pair) => pair[side].rate)), cpu('node'), cpu('server')]);
  }
  console.error(`\n${name}: ratio ${ratio.toFixed(2)} of ${theirs.title}\n${table}\n`);
}

function micros(number) {
  return Number.isNaN(number) ? 'not measured' : number.toFixed(1);
}
