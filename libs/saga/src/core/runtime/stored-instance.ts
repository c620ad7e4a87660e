import type { Direction } from '../command-id.js';
import { draftOf } from '../draft.js';
import type { Happening, HistoryEntry, SagaInstance } from '../instance.js';
import { pastOf } from '../past.js';
import type { Past, PresentInstance } from '../past.js';
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

/** The text that is an instance's state. A class for the reason of `youngList`: nearly all of them are remembered for a while. */
export class StoredInstance {
  /**
   * @param text `{"instance": ..., "timerAt": ..., "keys": ..., "history": [...]}`
   * @param historyAt where the first entry of the history begins in it
   * @param entries of the history
   */
  constructor(
    readonly text: string,
    readonly historyAt: number,
    readonly entries: number,
  ) {}
}

/**
 * An instance as text. Every change writes it anew, so its history is short: entries are arrays, with times since the start. A past
 * that was left out is taken over as it stands.
 */
export function toStored(instance: SagaInstance, { timerAt, keys }: Beside): StoredInstance {
  const { history, startedAt } = instance;
  const past = pastOf(instance) as StoredPast | undefined;
  const present = draftOf(instance);
  present.history = undefined;
  present.past = undefined;
  const rest = JSON.stringify(present);
  const timer = timerAt === undefined ? '' : `,"timerAt":${timerAt}`;
  const before = `{"instance":${rest}${timer}${keys ? `,"keys":${JSON.stringify(keys)}` : ''},"history":[`;
  let entries = past ? past.text : '';
  for (const entry of history) {
    const text = JSON.stringify(packed(entry, startedAt));
    entries = entries === '' ? text : `${entries},${text}`;
  }
  return new StoredInstance(`${before}${entries}]}`, before.length, (past?.entries ?? 0) + history.length);
}

/** An instance with its whole history. */
export function fromStored(text: string): (Beside & { readonly instance: SagaInstance }) | Removed {
  const value = JSON.parse(text) as Stored | Removed;
  if (isRemoved(value)) return value;
  const { instance, timerAt, keys, history } = value;
  const whole = history.map((entry) => unpacked(entry, instance.startedAt));
  // In place, since nobody else has it: a copy of it would cost as much as reading it.
  return { timerAt, keys, instance: Object.assign(instance, { history: whole }) };
}

/** An instance with its {@link pastOf past} left out. */
export function withoutPast({
  text,
  historyAt,
  entries,
}: StoredInstance): Beside & { readonly instance: SagaInstance } {
  const { instance, timerAt, keys } = JSON.parse(`${text.slice(0, historyAt)}]}`) as Stored;
  const past = new StoredPast(text.slice(historyAt, -2), entries, instance.startedAt);
  const present: PresentInstance = Object.assign(instance, { history: [], past });
  return { timerAt, keys, instance: present };
}

/** The instance with its past, if that was left out. */
export function withPast(instance: SagaInstance): SagaInstance {
  const past = pastOf(instance) as StoredPast | undefined;
  if (!past) return instance;
  const whole = draftOf(instance);
  whole.history = [...past.all(), ...instance.history];
  whole.past = undefined;
  return whole as SagaInstance;
}

class StoredPast implements Past {
  /**
   * @param text of the entries, separated by commas
   * @param start of the saga, ms since 1970
   */
  constructor(
    readonly text: string,
    readonly entries: number,
    private readonly start: number,
  ) {}

  mayHold(path: string, direction: Direction, what: Happening): boolean {
    return this.text.includes(`,${JSON.stringify(path)},${direction === 'undo' ? 1 : 0},"${what}",`);
  }

  all(): readonly HistoryEntry[] {
    return (JSON.parse(`[${this.text}]`) as PackedEntry[]).map((entry) => unpacked(entry, this.start));
  }
}

interface Stored extends Beside {
  readonly instance: Omit<SagaInstance, 'history'>;
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
  return Object.assign({ step, path, direction, what, at: start + at, times: 1 }, rare);
}
