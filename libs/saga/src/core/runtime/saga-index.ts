import { youngList } from '@millrace/broker';
import type { IndexEntry, RowRange, Write } from '@millrace/broker';
import { hasEnded } from '../instance.js';
import type { SagaInstance, SagaStatus } from '../instance.js';
import type { BusinessKeys } from './stored-instance.js';

/** The view, in the partition of each instance, by whose indexes instances are found. It has no rows: instances are states. */
export const SAGA_INDEX = 'saga-index';

/** What stands for an instance there, `<saga>/<id>`: a saga's name has no '/'. */
export function rowId(saga: string, id: string): string {
  return `${saga}/${id}`;
}

export function idIn(row: string): { readonly saga: string; readonly id: string } {
  const slash = row.indexOf('/');
  return { saga: row.slice(0, slash), id: row.slice(slash + 1) };
}

/** Where a list has an instance. One that stays is the same object after a change, so that little is kept for what is under way. */
export class Listing implements IndexEntry {
  /** @param time its place there, ms since 1970 */
  constructor(
    readonly index: string,
    readonly prefix: string,
    readonly time: number,
  ) {}

  get value(): string {
    return valueAt(this.prefix, placeAt(this.time));
  }

  isAt(index: string, prefix: string, time: number): boolean {
    return this.time === time && this.index === index && this.prefix === prefix;
  }
}

/**
 * Where lists have an instance.
 *
 * @param steps that it is at
 * @param keys business keys that it is found by
 * @param before where they had it
 */
export function listings(
  { saga, status, deadline, startedAt, updatedAt, endedAt }: Omit<SagaInstance, 'history' | 'run'>,
  steps: readonly string[],
  keys: BusinessKeys | undefined,
  before: readonly Listing[] = [],
): readonly Listing[] {
  const entry = ({ index, prefix }: Prefix, time: number): Listing => {
    for (const one of before) if (one.isAt(index, prefix, time)) return one;
    return new Listing(index, prefix, time);
  };
  const found = youngList(entry(listedBy.saga(saga), startedAt), entry(listedBy.status(saga, status), startedAt));
  for (const step of steps) found.push(entry(listedBy.step(saga, step), startedAt));
  for (const name in keys) found.push(entry(listedBy.key(saga, name, keys[name]!), startedAt));
  if (deadline !== undefined) found.push(entry(listedBy.deadline(saga), deadline));
  if (hasEnded({ status })) found.push(entry(listedBy.ended(saga, status), endedAt ?? updatedAt));
  return found;
}

/**
 * Moves an instance in the lists, in the commit that changes it.
 *
 * @returns undefined when it is found as before
 */
export function listingMoves(
  saga: string,
  id: string,
  before: readonly Listing[],
  after: readonly Listing[],
): Write | undefined {
  const add = missing(after, before);
  const remove = missing(before, after);
  if (add.length === 0 && remove.length === 0) return undefined;
  return { kind: 'list', view: SAGA_INDEX, id: rowId(saga, id), remove, add };
}

/** Those that the others do not have. */
function missing(listed: readonly Listing[], others: readonly Listing[]): readonly Listing[] {
  return listed.filter(({ index, prefix, time }) => !others.some((other) => other.isAt(index, prefix, time)));
}

/** What instances of one saga are listed by: each in the order of a time. */
export const listedBy = {
  saga: (saga: string): Prefix => ({ index: 'saga', prefix: saga }),
  status: recurring((saga, status: SagaStatus) => ({ index: 'status', prefix: `${saga} ${status}` })),
  /** Of those that have not ended. */
  step: recurring((saga, step: string) => ({ index: 'step', prefix: `${saga} ${JSON.stringify(step)}` })),
  key: (saga: string, name: string, value: string): Prefix => ({
    index: 'key',
    prefix: `${saga} ${JSON.stringify([name, value])}`,
  }),
  /** By when they turn round by themselves. */
  deadline: (saga: string): Prefix => ({ index: 'deadline', prefix: saga }),
  /** Of those that have ended, by when they did. */
  ended: recurring((saga, status: SagaStatus) => ({ index: 'ended', prefix: `${saga} ${status}` })),
};

export interface Prefix {
  readonly index: string;
  readonly prefix: string;
}

/** Both ends included, ms since 1970. */
export function within({ index, prefix }: Prefix, from = 0, to = LAST): RowRange {
  return { index, from: valueAt(prefix, placeAt(from)), to: valueAt(prefix, placeAt(to)) };
}

/** The value under which a list holds an instance. */
export function valueAt(prefix: string, time: string): string {
  return `${prefix} ${time}`;
}

/** A time, ms since 1970, as text that is ordered as times are. */
export function placeAt(ms: number): string {
  return String(Math.min(LAST, Math.max(0, Math.trunc(ms)))).padStart(DIGITS, '0');
}

/** The time in such a value. */
export function timeIn(value: string): number {
  return Number(value.slice(-DIGITS));
}

const DIGITS = 15;
const LAST = 10 ** DIGITS - 1;

/** Names that code makes up, of its steps, may be endless. */
const MOST_NAMES = 1000;

/** Prefixes that stand in many instances are made once. */
function recurring<Name extends string>(
  make: (saga: string, name: Name) => Prefix,
): (saga: string, name: Name) => Prefix {
  const sagas = new Map<string, Map<string, Prefix>>();
  return (saga, name) => {
    let known = sagas.get(saga);
    if (!known) sagas.set(saga, (known = new Map()));
    let found = known.get(name);
    if (found) return found;
    if (known.size === MOST_NAMES) known.clear();
    known.set(name, (found = make(saga, name)));
    return found;
  };
}
