import type { Direction } from '../command-id.js';
import type { Happening, HistoryEntry, SagaInstance } from '../instance.js';
import { isRemoved } from './removed.js';
import type { Removed } from './removed.js';

/** Business keys that an instance is listed by, by their names. */
export type BusinessKeys = Readonly<Record<string, string>>;

/** What is stored beside an instance, for the next change of it. */
export interface Beside {
  /** When its timer is set for: when something is due, or before, ms since 1970. */
  readonly timerAt?: number | undefined;
  /** By what keys lists have it: a service with other code may know them no more. */
  readonly keys?: BusinessKeys | undefined;
}

/**
 * An instance as the text that is its state. Every change writes it anew, so its history is short: entries are arrays, with
 * times since the start.
 */
export function toStored(instance: SagaInstance, { timerAt, keys }: Beside): string {
  const { history, startedAt } = instance;
  const packedHistory = history.map((entry) => packed(entry, startedAt));
  return JSON.stringify({ instance: { ...instance, history: packedHistory }, timerAt, keys } satisfies Stored);
}

/** What {@link toStored} made. */
export function fromStored(text: string): (Beside & { readonly instance: SagaInstance }) | Removed {
  const value = JSON.parse(text) as Stored | Removed;
  if (isRemoved(value)) return value;
  const { history, startedAt } = value.instance;
  // In place, since nobody else has it: a copy of it would cost as much as reading it.
  return Object.assign(value, {
    instance: Object.assign(value.instance, { history: history.map((entry) => unpacked(entry, startedAt)) }),
  });
}

interface Stored extends Beside {
  readonly instance: StoredInstance;
}

interface StoredInstance extends Omit<SagaInstance, 'history'> {
  readonly history: readonly PackedEntry[];
}

/** Step, path, 1 for the way back, what, ms since the start, and what only few have. */
type PackedEntry = readonly [string, string, 0 | 1, Happening, number, Rare?];

type Rare = Partial<Omit<HistoryEntry, 'step' | 'path' | 'direction' | 'what' | 'at'>>;

function packed(entry: HistoryEntry, start: number): PackedEntry {
  const { step, path, direction, what, at } = entry;
  const back = direction === 'undo' ? 1 : 0;
  const rare = rareOf(entry);
  return rare ? [step, path, back, what, at - start, rare] : [step, path, back, what, at - start];
}

function rareOf({ times, last, change, reason, by, why }: HistoryEntry): Rare | undefined {
  if (times === 1 && !change && (last ?? reason ?? by ?? why) === undefined) return undefined;
  return { times: times === 1 ? undefined : times, last, change, reason, by, why };
}

function unpacked([step, path, back, what, at, rare]: PackedEntry, start: number): HistoryEntry {
  const direction: Direction = back === 1 ? 'undo' : 'do';
  if (!rare) return { step, path, direction, what, at: start + at, times: 1 };
  return { step, path, direction, what, at: start + at, times: 1, ...rare };
}
