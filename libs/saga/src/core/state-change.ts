import { isDeepStrictEqual } from 'node:util';

/** How a state was changed: members that were set and removed, or, of a state that is no object, the whole new one. */
export type StateChange =
  { readonly set: Readonly<Record<string, unknown>>; readonly unset?: readonly string[] } | { readonly value: unknown };

/** Undefined: nothing was changed. */
export function changeBetween(before: unknown, after: unknown): StateChange | undefined {
  if (before === after) return undefined;
  if (!isRecord(before) || !isRecord(after)) return isDeepStrictEqual(before, after) ? undefined : { value: after };
  const names = Object.keys(after).filter(
    (name) =>
      after[name] !== before[name] && after[name] !== undefined && !isDeepStrictEqual(after[name], before[name]),
  );
  const unset = Object.keys(before).filter((name) => before[name] !== undefined && after[name] === undefined);
  if (names.length === 0 && unset.length === 0) return undefined;
  const set = Object.fromEntries(names.map((name) => [name, after[name]]));
  return unset.length === 0 ? { set } : { set, unset };
}

/** The state after a change. */
export function changed(state: unknown, change: StateChange | undefined): unknown {
  if (!change) return state;
  if ('value' in change) return change.value;
  const kept = Object.entries(state as object).filter(([name]) => !change.unset?.includes(name));
  return { ...Object.fromEntries(kept), ...change.set };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
