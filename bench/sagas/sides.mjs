import { fileURLToPath } from 'node:url';

export const here = (file) => fileURLToPath(new URL(file, import.meta.url));

const side = (name, title) => ({
  title,
  customer: here(`${name}.customer.mjs`),
  orchestrator: here(`${name}.orchestrator.mjs`),
  participants: here(`${name}.participants.mjs`),
});

export const MILLRACE = side('millrace', 'Millrace');
export const BY_HAND = side('by-hand', 'by hand');

/** What becomes of the orders. */
export const CASES = [
  { name: 'three steps', setting: { delivers: true, expected: 'completed' } },
  { name: 'refused at step 3, two compensations', setting: { delivers: false, expected: 'compensated' } },
];
