import type { ExploredState } from './explored-state.js';

/** How many ways lead from a state to those from which none goes on; undefined: endlessly many, by a circle. */
export function countPaths<State>(
  states: Iterable<ExploredState<State>>,
  first: ExploredState<State>,
): bigint | undefined {
  const arrows = new Map<ExploredState<State>, number>();
  let count = 0;
  for (const state of states) {
    count++;
    for (const { state: to } of state.to) arrows.set(to, (arrows.get(to) ?? 0) + 1);
  }
  if (arrows.has(first)) return undefined;
  const ways = new Map([[first, 1n]]);
  const ready = [first];
  let ends = 0n;
  for (const state of ready) {
    if (state.to.length === 0) ends += ways.get(state)!;
    for (const { state: to } of state.to) {
      ways.set(to, (ways.get(to) ?? 0n) + ways.get(state)!);
      const left = arrows.get(to)! - 1;
      arrows.set(to, left);
      if (left === 0) ready.push(to);
    }
  }
  return ready.length === count ? ends : undefined;
}
