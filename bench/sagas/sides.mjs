import { fileURLToPath } from 'node:url';

export const here = (file) => fileURLToPath(new URL(file, import.meta.url));

const PROCESSES = ['orchestrator', 'participants', 'customer'];

/** A side is its title and its processes, of which `customer` starts the sagas. */
const side = (name, title) => ({
  title,
  processes: Object.fromEntries(PROCESSES.map((who) => [who, here(`${name}.${who}.mjs`)])),
});

export const MILLRACE = side('millrace', 'Millrace');
/** By hand, the least that works; and with all the traffic that Millrace causes. */
export const LEAST = side('by-hand', 'by hand, the least');
export const SAME_TRAFFIC = side('same-traffic', 'by hand, the same traffic');

/** Everything in one process. */
const local = (name, title) => ({ title, processes: { customer: here(`local.${name}.mjs`) } });

export const LOCAL_MILLRACE = local('millrace', 'Millrace');
export const RESTATE = local('restate', 'Restate');
export const DBOS = local('dbos', 'DBOS');

/** What becomes of the orders. */
export const CASES = [
  { name: 'three steps', setting: { delivers: true, expected: 'completed' } },
  { name: 'refused at step 3, two compensations', setting: { delivers: false, expected: 'compensated' } },
];
