import type { DeadLetter } from './commit.js';
import type { Entry, EntryRef, Log } from './partition.js';

/** Where a message in a group's own log comes from: it was a dead letter. */
export interface Origin {
  /** The original entry. */
  readonly entry: EntryRef;
  /** Times it has been redriven. */
  readonly redriven: number;
  /** When it first failed, ms since 1970; undefined when it never did. */
  readonly first: number | undefined;
  /** The key whose later messages it holds back. */
  readonly parked: string | undefined;
}

/** Reason of a dead letter that has not failed: it waits behind another of its key. */
export const PARKED = 'parked';

/** Names of the fields before those of the message, in the order of {@link originFields}. */
export const ORIGIN_NAMES = ['origin', 'redriven', 'first', 'parked'] as const;

/** So many fields of an entry, names and values, precede those of the message. */
export const ORIGIN_FIELDS = 2 * ORIGIN_NAMES.length;

/** What precedes the fields of a dead letter in the own log. */
export function originFields({ reason, entry, redriven, first }: DeadLetter, parked = ''): readonly string[] {
  const waited = reason === PARKED;
  const values = [
    `${entry.source.log}/${entry.id}`,
    String(waited ? redriven : redriven + 1),
    waited ? '' : String(first),
    parked,
  ];
  return ORIGIN_NAMES.flatMap((name, i) => [name, values[i]!]);
}

/** Takes an entry of an own log apart; undefined when it was no dead letter. */
export function readOrigin({
  source,
  fields,
}: Entry): { readonly origin: Origin; readonly fields: string[] } | undefined {
  if (!ORIGIN_NAMES.every((name, i) => fields[2 * i] === name)) return undefined;
  const [place, redriven, first, parked] = ORIGIN_NAMES.map((_, i) => fields[2 * i + 1]!);
  const slash = place!.lastIndexOf('/');
  const entry = { source: { ...source, log: place!.slice(0, slash) as Log }, id: place!.slice(slash + 1) };
  return {
    origin: {
      entry,
      redriven: Number(redriven),
      first: first === '' ? undefined : Number(first),
      parked: parked === '' ? undefined : parked,
    },
    fields: fields.slice(ORIGIN_FIELDS),
  };
}
