import { INVARIANTS } from '../checker/check.js';
import type { OrderKind } from '../customer/plan.js';
import type { Run } from '../run-orders.js';
import { get } from '../shop/http.js';
import type { Shop } from '../shop/shop.js';
import type { SagaHappening } from './saga-line.js';
import { sagaLine } from './saga-line.js';
import type { Terminal } from './terminal.js';

const KINDS: readonly (readonly [OrderKind, string])[] = [
  ['plain', 'plain'],
  ['out-of-stock', 'more than there is'],
  ['declined', 'card declined'],
  ['slow-authorize', 'bank authorizes late'],
  ['slow-capture', 'bank charges late'],
];
const SHOWN_VIOLATIONS = 20;

/** How one order of each kind went, how many ended how, and what the checker found. */
export async function report({ result, watch, calls }: Run, shop: Shop, terminal: Terminal): Promise<void> {
  const { green, red, yellow, dim, bold } = terminal.colors;
  terminal.say();
  for (const [kind, title] of KINDS) {
    const sample = [...watch.endings].find(([orderId]) => watch.kindOf(orderId) === kind);
    if (!sample) continue;
    const [orderId, ending] = sample;
    const steps = await stepsOf(orderId, shop);
    const paint = ending === 'confirmed' ? green : ending === 'rejected' ? yellow : red;
    terminal.say(`  ${title.padEnd(22)}${paint(ending.padEnd(11))}${dim(steps)}`);
  }
  const refused = calls.filter(({ outcome }) => outcome === 'fail');
  for (const { error, status } of refused.slice(0, 3)) terminal.say(red(`  an order was refused: ${status} ${error}`));

  const { confirmed, rejected, parked, unfinished, violations, kills } = result;
  terminal.say();
  terminal.say(
    bold(`${confirmed} confirmed  ${rejected} rejected  ${parked} parked  ${unfinished} unfinished`) +
      (kills > 0 ? `     ${kills} kills survived` : ''),
  );
  const broken = new Set(violations.map(({ code }) => code));
  const names = INVARIANTS.map(([code, name]) => (broken.has(code) ? red(name) : name)).join(', ');
  const verdict = `${INVARIANTS.length - broken.size} of ${INVARIANTS.length} hold`;
  terminal.say(`checked from the ledgers: ${names}: ${broken.size === 0 ? green(verdict) : red(verdict)}`);
  for (const { code, subject, text } of violations.slice(0, SHOWN_VIOLATIONS)) {
    terminal.say(red(`  ${code} ${subject}: ${text}`));
  }
  if (violations.length > SHOWN_VIOLATIONS) terminal.say(red(`  and ${violations.length - SHOWN_VIOLATIONS} more`));
}

async function stepsOf(orderId: string, shop: Shop): Promise<string> {
  const saga = await get<{ history?: SagaHappening[] }>(`${shop.urls.orchestrator}/sagas/${orderId}`).catch(
    () => undefined,
  );
  return sagaLine(saga?.history ?? []);
}
