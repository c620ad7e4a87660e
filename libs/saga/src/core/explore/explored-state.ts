import type { SagaInstance } from '../instance.js';
import type { Told } from '../run.js';
import type { SagaAction } from '../transition.js';
import type { Ledger } from './ledger.js';
import type { Move } from './moves.js';

/** A state that a saga can come to, by the shortest way. */
export interface ExploredState<State> {
  readonly instance: SagaInstance<State>;
  readonly ledger: Ledger;
  /** ms since 1970 */
  readonly now: number;
  /** Ids of what was sent on the last step of the way. */
  readonly sent: readonly string[];
  readonly locks: Locks;
  readonly from: ExploredState<State> | undefined;
  readonly move: Move;
  /** Where moves lead, and whether the world does its part there. */
  readonly to: { readonly state: ExploredState<State>; readonly helps: boolean }[];
}

/** Keys that it has asked for and not given back, by the paths of the steps. */
export type Locks = Readonly<Record<string, string>>;

/** One move that was played. */
export interface Played<State> {
  readonly before: ExploredState<State> | undefined;
  readonly after: ExploredState<State>;
  readonly actions: readonly SagaAction[];
}

/** The lines of the script that leads to a state. */
export function scriptOf<State>(state: ExploredState<State>): readonly string[] {
  const lines: string[] = [];
  for (let at: ExploredState<State> | undefined = state; at; at = at.from) lines.unshift(at.move.text);
  return lines;
}

/** Whether code has begun an operation when it was known how another one ended. */
export function beganBehind<State>(state: ExploredState<State>, path: string, other: string): boolean {
  let first = state;
  while (first.from?.ledger[path] !== undefined) first = first.from;
  const effect = first.ledger[other];
  return first.ledger[path] !== undefined && effect !== undefined && effect !== 'open' && effect !== 'undoing';
}

/** States with the same key go on alike. Of times only their order counts. */
export function keyOf<State>(
  { instance, ledger }: Pick<ExploredState<State>, 'instance' | 'ledger'>,
  withHistory: boolean,
): string {
  const { history, startedAt: _s, updatedAt: _u, endedAt: _e, wakeAt: _w, pages: _p, parked, ...rest } = instance;
  const times = new Set<number>();
  JSON.stringify(rest, (name, value: unknown) => (isTime(name, value) ? (times.add(value), value) : value));
  const order = [...times].sort((a, b) => a - b);
  function ranked(this: object, name: string, value: unknown): unknown {
    if (name === 'told' && 'ops' in this) return (value as readonly Told[]).map(({ op }) => op);
    return isTime(name, value) ? order.indexOf(value) : name === 'reason' ? undefined : value;
  }
  const past = withHistory
    ? history.map(({ path, direction, what, times: n }) => `${path} ${direction} ${what} ${n}`)
    : [];
  const entries = Object.entries(ledger).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([rest, parked?.map(({ path }) => path).sort(), entries, past], ranked);
}

function isTime(name: string, value: unknown): value is number {
  return (name === 'due' || name === 'deadline') && typeof value === 'number';
}
