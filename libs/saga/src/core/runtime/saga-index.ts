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

/** Where a list has an instance. */
export interface Listing extends Prefix {
  /** Its place there, ms since 1970. */
  readonly at: number;
}

/**
 * Where lists have an instance.
 *
 * @param steps that it is at
 * @param keys business keys that it is found by
 */
export function listings(
  { saga, status, deadline, startedAt, updatedAt, endedAt }: Omit<SagaInstance, 'history' | 'run'>,
  steps: readonly string[],
  keys: BusinessKeys | undefined,
): readonly Listing[] {
  const entry = ({ index, prefix }: Prefix, at: number): Listing => ({ index, prefix, at });
  const found = [entry(listedBy.saga(saga), startedAt), entry(listedBy.status(saga, status), startedAt)];
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
  const add = without(after, before);
  const remove = without(before, after);
  if (add.length === 0 && remove.length === 0) return undefined;
  return { kind: 'list', view: SAGA_INDEX, id: rowId(saga, id), remove, add };
}

/** What instances of one saga are listed by: each in the order of a time. */
export const listedBy = {
  saga: (saga: string): Prefix => ({ index: 'saga', prefix: saga }),
  status: (saga: string, status: SagaStatus): Prefix => ({ index: 'status', prefix: `${saga} ${status}` }),
  /** Of those that have not ended. */
  step: (saga: string, step: string): Prefix => ({ index: 'step', prefix: `${saga} ${JSON.stringify(step)}` }),
  key: (saga: string, name: string, value: string): Prefix => ({
    index: 'key',
    prefix: `${saga} ${JSON.stringify([name, value])}`,
  }),
  /** By when they turn round by themselves. */
  deadline: (saga: string): Prefix => ({ index: 'deadline', prefix: saga }),
  /** Of those that have ended, by when they did. */
  ended: (saga: string, status: SagaStatus): Prefix => ({ index: 'ended', prefix: `${saga} ${status}` }),
};

export interface Prefix {
  readonly index: string;
  readonly prefix: string;
}

/** Both ends included, ms since 1970. */
export function within({ index, prefix }: Prefix, from = 0, to = LAST): RowRange {
  return { index, from: at(prefix, from), to: at(prefix, to) };
}

/** The value under which a list holds an instance at a time. */
export function at(prefix: string, ms: number): string {
  return `${prefix} ${String(Math.min(LAST, Math.max(0, Math.trunc(ms)))).padStart(DIGITS, '0')}`;
}

/** The time in such a value. */
export function timeIn(value: string): number {
  return Number(value.slice(-DIGITS));
}

const DIGITS = 15;
const LAST = 10 ** DIGITS - 1;

function without(listed: readonly Listing[], others: readonly Listing[]): IndexEntry[] {
  const entries: IndexEntry[] = [];
  for (const one of listed) {
    const { index, prefix, at: place } = one;
    if (!others.some((other) => isSame(one, other))) entries.push({ index, value: at(prefix, place) });
  }
  return entries;
}

function isSame(a: Listing, b: Listing): boolean {
  return a.index === b.index && a.at === b.at && a.prefix === b.prefix;
}
