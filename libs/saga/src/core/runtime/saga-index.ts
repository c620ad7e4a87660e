import type { IndexEntry, RowRange, Write } from '@millrace/broker';
import type { SagaDefinition } from '../definition.js';
import { hasEnded } from '../instance.js';
import type { SagaInstance, SagaStatus } from '../instance.js';
import { currentSteps } from './current-steps.js';

/** The view, in the partition of each instance, by whose indexes instances are found. Its rows are empty. */
export const SAGA_INDEX = 'saga-index';

/** The row of an instance, `<saga>/<id>`: a saga's name has no '/'. */
export function rowId(saga: string, id: string): string {
  return `${saga}/${id}`;
}

export function idIn(row: string): { readonly saga: string; readonly id: string } {
  const slash = row.indexOf('/');
  return { saga: row.slice(0, slash), id: row.slice(slash + 1) };
}

/**
 * The row of an instance, for the commit that changes it.
 *
 * @param before as it was; undefined when it starts
 * @returns none when it is found as before
 */
export function indexWrites<State>(
  definition: SagaDefinition<State>,
  instance: SagaInstance<State>,
  before: SagaInstance<State> | undefined,
): readonly Write[] {
  const entries = entriesOf(definition, instance);
  if (before && isSame(entries, entriesOf(definition, before))) return [];
  return [{ kind: 'row', view: SAGA_INDEX, id: rowId(instance.saga, instance.id), value: '', entries }];
}

/** Takes an instance out of all lists. */
export function unlisting(saga: string, id: string): Write {
  return { kind: 'row', view: SAGA_INDEX, id: rowId(saga, id), value: null, entries: [] };
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

function entriesOf<State>(definition: SagaDefinition<State>, instance: SagaInstance<State>): readonly IndexEntry[] {
  const { saga, status, deadline, startedAt, endedAt } = instance;
  const entry = ({ index, prefix }: Prefix, ms: number): IndexEntry => ({ index, value: at(prefix, ms) });
  const entries = [entry(listedBy.saga(saga), startedAt), entry(listedBy.status(saga, status), startedAt)];
  for (const step of currentSteps(definition, instance)) entries.push(entry(listedBy.step(saga, step), startedAt));
  for (const [name, value] of Object.entries(definition.keys?.(instance.state) ?? {})) {
    entries.push(entry(listedBy.key(saga, name, value), startedAt));
  }
  if (deadline !== undefined) entries.push(entry(listedBy.deadline(saga), deadline));
  if (hasEnded(instance)) entries.push(entry(listedBy.ended(saga, status), endedAt ?? instance.updatedAt));
  return entries;
}

function isSame(a: readonly IndexEntry[], b: readonly IndexEntry[]): boolean {
  return a.length === b.length && a.every(({ index, value }, i) => index === b[i]!.index && value === b[i]!.value);
}
