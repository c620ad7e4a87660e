import { isDeepStrictEqual } from 'node:util';

/** How a state was changed: members that were set and removed, or, of a state that is no object, the whole new one. */
export type StateChange =
  { readonly set: Readonly<Record<string, unknown>>; readonly unset?: readonly string[] } | { readonly value: unknown };

/** Undefined: nothing was changed. */
export function changeBetween(before: unknown, after: unknown): StateChange | undefined {
  if (before === after) return undefined;
  if (!isRecord(before) || !isRecord(after)) return isDeepStrictEqual(before, after) ? undefined : { value: after };
  let set: [string, unknown][] | undefined;
  for (const name of Object.keys(after)) {
    const value = after[name];
    const former = before[name];
    if (value === former || value === undefined) continue;
    if (former !== undefined && isDeepStrictEqual(value, former)) continue;
    (set ??= []).push([name, value]);
  }
  let unset: string[] | undefined;
  for (const name of Object.keys(before)) {
    if (before[name] !== undefined && after[name] === undefined) (unset ??= []).push(name);
  }
  if (!set && !unset) return undefined;
  const members = set ? Object.fromEntries(set) : {};
  return unset ? { set: members, unset } : { set: members };
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
