import { randomBytes } from 'node:crypto';
import { child } from '../child.mjs';

/** Sagas before the clock starts, so that both sides run compiled code. */
const WARM_UP = 2_000;
/** More than the sagas of a round. */
const NUMBERS = 10_000_000;

let rounds = 0;

/**
 * Measures acts of one side, one after the other, in processes of their own.
 *
 * @param server what the side keeps its sagas in
 * @param setting what all processes are told
 * @param acts `{ sagas, inFlight }`, so many at a time, or `{ sagas, perSecond }`, an open loop
 * @returns of each act: sagas a second, p50 and p99 in ms, CPU of each process and of the server in µs a saga, and where the
 *   server counts them, calls of its commands a saga
 */
export async function round(server, side, setting, acts) {
  // A server that cannot be emptied remembers the orders of the rounds before.
  const own = { namespace: `bench-${randomBytes(4).toString('hex')}`, first: NUMBERS * rounds++ };
  const processes = await started(side, { url: server.url, ...server.setting, ...own, ...setting });
  try {
    const most = Math.max(...acts.map(({ sagas }) => sagas));
    await processes.customer.run({ sagas: Math.min(WARM_UP, most), inFlight: 100 });
    const figures = [];
    for (const act of acts) figures.push(await measure(server, processes, act));
    return figures;
  } finally {
    await Promise.all(Object.values(processes).map((process) => process.close()));
    await server.flush?.();
  }
}

/** The customer last, when the others are there. */
async function started({ processes: { customer, ...workers } }, told) {
  const open = async ([who, file]) => [who, await child(file, told)];
  const running = await Promise.all(Object.entries(workers).map(open));
  return Object.fromEntries([...running, await open(['customer', customer])]);
}

async function measure(server, processes, act) {
  const before = await taken(server, processes);
  const begin = performance.now();
  const { p50, p99 } = await processes.customer.run(act);
  const seconds = (performance.now() - begin) / 1000;
  const after = await taken(server, processes);
  const perSaga = (counted) =>
    Object.fromEntries(
      Object.entries(after[counted]).map(([name, count]) => [name, (count - (before[counted][name] ?? 0)) / act.sagas]),
    );
  return { rate: act.sagas / seconds, p50, p99, cpu: perSaga('cpu'), calls: perSaga('calls') };
}

/** CPU of each so far, µs, and calls of commands. */
async function taken(server, processes) {
  const clocks = Object.entries({ ...processes, server });
  const cpu = await Promise.all(clocks.map(async ([who, each]) => [who, (await each.cpuSeconds()) * 1e6]));
  const calls = await server.calls?.();
  return { cpu: Object.fromEntries(cpu), calls: Object.fromEntries(calls ?? []) };
}

/** Pairs of what two sides answer, in turn: `{ title, measure }`, which answers the figures of its acts. */
export async function turns(name, rounds, sides) {
  const pairs = [];
  for (let i = 0; i < rounds; i++) {
    const pair = [];
    for (const { title, measure } of sides) {
      pair.push(await measure());
      console.error(`  ${name}: ${title} ${Math.round(pair.at(-1).at(-1).rate)} sagas/s`);
    }
    pairs.push(pair);
  }
  return pairs;
}

/** Of pairs of figures of several acts, the pairs of one. */
export function ofAct(pairs, act) {
  return pairs.map((pair) => pair.map((figures) => figures[act]));
}
