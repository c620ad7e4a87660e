import { ANY_TYPE } from '@millrace/transforms';
import type { TransformDescription } from '@millrace/transforms';

/** What a message of one type meets on its way, and what comes out. */
export interface Way {
  /** Names of the transforms that take it, in order. */
  readonly passes: readonly string[];
  readonly gives: readonly string[];
}

/** The way of a type through transforms, as far as it can be said without a message. */
export function wayOf(transforms: readonly TransformDescription[], type: string): Way {
  const types = new Set([type]);
  const passes: string[] = [];
  for (const { name, from, to } of transforms) {
    const taken = from.includes(ANY_TYPE) ? [...types] : from.filter((each) => types.has(each));
    if (taken.length === 0) continue;
    passes.push(name);
    if (to.includes(ANY_TYPE)) continue;
    for (const each of taken) types.delete(each);
    for (const each of to) types.add(each);
  }
  return { passes, gives: [...types] };
}

/** A type on the wire from which a handled type comes. */
export interface Arrival {
  readonly type: string;
  readonly passes: readonly string[];
}

/** The types on the wire that become `handled` on the way in: it itself, unless a transform makes it of others. */
export function arrivalsOf(transforms: readonly TransformDescription[], handled: string): readonly Arrival[] {
  const candidates = new Set([handled, ...transforms.flatMap(({ from }) => from)]);
  candidates.delete(ANY_TYPE);
  const made = (type: string) => transforms.some(({ from, to }) => to.includes(type) && !from.includes(type));
  const all = [...candidates].flatMap((type): Arrival[] => {
    const { passes, gives } = wayOf(transforms, type);
    return gives.includes(handled) ? [{ type, passes }] : [];
  });
  const first = all.filter(({ type }) => !made(type));
  return first.length > 0 ? first : all;
}
