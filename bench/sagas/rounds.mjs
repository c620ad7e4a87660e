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
 *   server counts them, calls of its commands and bytes a saga
 */
export async function round(server, side, setting, acts) {
  // A server that cannot be emptied remembers the orders of the rounds before.
  const own = { namespace: `bench-${randomBytes(4).toString('hex')}`, first: NUMBERS * rounds++ };
  const processes = await started(side, { url: server.url, ...server.setting, ...own, ...setting });
  try {
    const most = Math.max(...acts.map(({ sagas }) => sagas));
    await untilBroken(processes, { sagas: Math.min(WARM_UP, most), inFlight: 100 });
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
  const { p50, p99 } = await untilBroken(processes, act);
  const seconds = (performance.now() - begin) / 1000;
  const after = await taken(server, processes);
  const perSaga = (counted) =>
    Object.fromEntries(
      Object.entries(after[counted]).map(([name, count]) => [name, (count - (before[counted][name] ?? 0)) / act.sagas]),
    );
  return { rate: act.sagas / seconds, p50, p99, cpu: perSaga('cpu'), calls: perSaga('calls'), bytes: perSaga('bytes') };
}

/** Lets the customer do its part. Rejects when another process ends meanwhile: the customer would wait for ever. */
function untilBroken(processes, act) {
  return Promise.race([processes.customer.run(act), ...Object.values(processes).map(({ broken }) => broken)]);
}

/** CPU of each so far, µs, calls of commands, and bytes. */
async function taken(server, processes) {
  const clocks = Object.entries({ ...processes, server });
  const cpu = await Promise.all(clocks.map(async ([who, each]) => [who, (await each.cpuSeconds()) * 1e6]));
  const counted = async (what) => Object.fromEntries((await server[what]?.()) ?? []);
  return { cpu: Object.fromEntries(cpu), calls: await counted('calls'), bytes: await counted('bytes') };
}

/** Rounds of what the sides answer, in turn: `{ title, measure }`, which answers the figures of its acts. */
export async function turns(name, count, sides) {
  const all = [];
  for (let i = 0; i < count; i++) {
    const answers = [];
    for (const { title, measure } of sides) {
      answers.push(await measure());
      console.error(`  ${name}: ${title} ${Math.round(answers.at(-1).at(-1).rate)} sagas/s`);
    }
    all.push(answers);
  }
  return all;
}

/** Of rounds of the figures of several acts, those of one. */
export function ofAct(all, act) {
  return all.map((answers) => answers.map((figures) => figures[act]));
}
