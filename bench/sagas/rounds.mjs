import { randomBytes } from 'node:crypto';
import { child } from '../child.mjs';

/** Sagas before the clock starts, so that both sides run compiled code. */
const WARM_UP = 2_000;

const WORKERS = ['orchestrator', 'participants'];

/**
 * Measures acts of one side, one after the other: processes of its own for customer, orchestrator and participants.
 *
 * @param setting what all three are told
 * @param acts `{ sagas, inFlight }`, so many at a time, or `{ sagas, perSecond }`, an open loop
 * @returns of each act: sagas a second, p50 and p99 in ms, CPU of each process and of Redis in µs a saga, calls of commands a saga
 */
export async function round(redis, side, setting, acts) {
  const told = { url: redis.url, namespace: `bench-${randomBytes(4).toString('hex')}`, ...setting };
  const [orchestrator, participants] = await Promise.all(WORKERS.map((who) => child(side[who], told)));
  const customer = await child(side.customer, told);
  const most = Math.max(...acts.map(({ sagas }) => sagas));
  await customer.run({ sagas: Math.min(WARM_UP, most), inFlight: 100 });
  const figures = [];
  for (const act of acts) figures.push(await measure(redis, { customer, orchestrator, participants }, act));
  await Promise.all([customer, orchestrator, participants].map((process) => process.close()));
  await redis.flush();
  return figures;
}

async function measure(redis, { customer, ...workers }, act) {
  const taken = () =>
    Promise.all([redis.cpuSeconds(), ...WORKERS.map((who) => workers[who].cpuSeconds()), redis.calls()]);
  const before = await taken();
  const begin = performance.now();
  const { cpuSeconds, ...latencies } = await customer.run(act);
  const seconds = (performance.now() - begin) / 1000;
  const after = await taken();
  const micros = (i) => ((after[i] - before[i]) * 1e6) / act.sagas;
  return {
    ...latencies,
    rate: act.sagas / seconds,
    customer: (cpuSeconds * 1e6) / act.sagas,
    orchestrator: micros(1),
    participants: micros(2),
    redis: micros(0),
    calls: perSaga(before.at(-1), after.at(-1), act.sagas),
  };
}

function perSaga(before, after, sagas) {
  const calls = Array.from(after, ([command, count]) => [command, (count - (before.get(command) ?? 0)) / sagas]);
  return Object.fromEntries(calls.filter(([, count]) => count > 0));
}
