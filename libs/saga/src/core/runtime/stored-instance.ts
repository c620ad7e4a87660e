import type { Direction } from '../command-id.js';
import { draftOf } from '../draft.js';
import type { Draft } from '../draft.js';
import type { Happening, HistoryEntry, SagaInstance } from '../instance.js';
import { pastOf } from '../past.js';
import type { Past } from '../past.js';
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
   * @param text `{"instance": {..., "status": ...}, "timerAt": ..., "keys": ..., "history": [...]}`
   * @param origin what it begins with
   * @param changingEnd where what may change ends in it, behind the instance
   * @param historyAt where the first entry of the history begins in it
   * @param entries of the history
   */
  constructor(
    readonly text: string,
    readonly origin: Origin,
    readonly changingEnd: number,
    readonly historyAt: number,
    readonly entries: number,
    readonly timerAt: number | undefined,
    readonly keys: BusinessKeys | undefined,
  ) {}
}

/** What of an instance stays as it is while it goes on with one definition: it need not be read and written again. */
class Origin {
  readonly text: string;

  constructor(
    readonly saga: string,
    readonly id: string,
    readonly version: number,
    readonly hash: string,
    readonly correlationid: string,
    readonly startedAt: number,
  ) {
    this.text = JSON.stringify({ saga, id, version, hash, correlationid, startedAt }).slice(0, -1);
  }

  static of({ saga, id, version, hash, correlationid, startedAt }: SagaInstance): Origin {
    return new Origin(saga, id, version, hash, correlationid, startedAt);
  }
}

const BEFORE_INSTANCE = '{"instance":';

/**
 * An instance as text. Every change writes it anew, so its history is short: entries are arrays, with times since the start. A past
 * that was left out is taken over as it stands.
 */
export function toStored(instance: SagaInstance, { timerAt, keys }: Beside): StoredInstance {
  const { history, startedAt } = instance;
  const past = pastOf(instance) as StoredPast | undefined;
  const origin = past?.origin ?? Origin.of(instance);
  const present = `${BEFORE_INSTANCE}${origin.text},${JSON.stringify(changingOf(instance)).slice(1)}`;
  const timer = timerAt === undefined ? '' : `,"timerAt":${timerAt}`;
  const before = `${present}${timer}${keys ? `,"keys":${JSON.stringify(keys)}` : ''},"history":[`;
  const earlier = past?.text ?? '';
  const added = JSON.stringify(history.map((entry) => packed(entry, startedAt))).slice(1, -1);
  const entries = earlier !== '' && added !== '' ? `${earlier},${added}` : earlier + added;
  const count = (past?.entries ?? 0) + history.length;
  return new StoredInstance(`${before}${entries}]}`, origin, present.length, before.length, count, timerAt, keys);
}

/** What is written with every change. */
function changingOf(instance: SagaInstance): Draft {
  const changing = draftOf(instance);
  changing.saga = undefined;
  changing.id = undefined;
  changing.version = undefined;
  changing.hash = undefined;
  changing.correlationid = undefined;
  changing.startedAt = undefined;
  changing.history = undefined;
  changing.past = undefined;
  return changing;
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
  origin,
  changingEnd,
  historyAt,
  entries,
  timerAt,
  keys,
}: StoredInstance): Beside & { readonly instance: SagaInstance } {
  const changingAt = BEFORE_INSTANCE.length + origin.text.length + 1;
  const present = draftOf(JSON.parse(`{${text.slice(changingAt, changingEnd)}`) as SagaInstance);
  present.saga = origin.saga;
  present.id = origin.id;
  present.version = origin.version;
  present.hash = origin.hash;
  present.correlationid = origin.correlationid;
  present.startedAt = origin.startedAt;
  present.history = [];
  present.past = new StoredPast(text.slice(historyAt, -2), entries, origin);
  return { timerAt, keys, instance: present as SagaInstance };
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
   */
  constructor(
    readonly text: string,
    readonly entries: number,
    readonly origin: Origin,
  ) {}

  mayHold(path: string, direction: Direction, what: Happening): boolean {
    return this.text.includes(`,${JSON.stringify(path)},${direction === 'undo' ? 1 : 0},"${what}",`);
  }

  all(): readonly HistoryEntry[] {
    return (JSON.parse(`[${this.text}]`) as PackedEntry[]).map((entry) => unpacked(entry, this.origin.startedAt));
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
