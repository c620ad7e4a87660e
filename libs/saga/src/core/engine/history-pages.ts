import type { SagaInstance } from '../instance.js';
import { PastNeeded } from '../past.js';
import type { Turn } from './turn.js';

/** An instance holds so many entries of its history at most; the oldest are stored beside it then. */
const MOST = 100;
const KEPT = 50;

/**
 * Puts the oldest entries of a long history on a page of their own, so that a change costs the same however old a saga is.
 *
 * @throws PastNeeded when they were left out
 */
export function pageOut<State>(turn: Turn<State>, instance: SagaInstance<State>): SagaInstance<State> {
  const { history, pages = 0 } = instance;
  if ((turn.past?.entries ?? 0) + history.length <= MOST) return instance;
  if (turn.past) throw new PastNeeded();
  turn.actions.push({ kind: 'keep-history', page: pages, entries: history.slice(0, -KEPT) });
  return { ...instance, history: history.slice(-KEPT), pages: pages + 1 };
}
