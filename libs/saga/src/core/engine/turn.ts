import { contractOf } from '@millrace/messages';
import type { Direction } from '../command-id.js';
import { formatCommandId } from '../command-id.js';
import type { Act, Block, SagaDefinition, SagaFailure, SagaNode } from '../definition.js';
import type { Asker, EarlyEvent, Happening, HistoryEntry, ParkedStep, SagaInstance } from '../instance.js';
import { PastNeeded, pastOf } from '../past.js';
import type { Past } from '../past.js';
import type { SagaEvent } from '../saga-events.js';
import { changeBetween } from '../state-change.js';
import type { StateChange } from '../state-change.js';
import type { Run, SequenceRun } from '../run.js';
import type { SagaAction } from '../transition.js';
import type { Place } from './place.js';
import type { Signal } from './signal.js';

/**
 * How nodes of one kind behave. Every function answers what the run has become; what has to happen besides, and what the
 * state becomes, it tells the turn.
 */
export interface Behaviour<State, N, R extends Run> {
  /** The saga comes here. */
  enter(turn: Turn<State>, node: N, place: Place): R;
  /**
   * Something happens.
   *
   * @param to where in here it goes, for a signal that is for one command
   */
  feel(turn: Turn<State>, node: N, run: R, place: Place, signal: Signal, to: readonly string[]): R;
  /** What is done is to be undone. */
  undo(turn: Turn<State>, node: N, run: R, place: Place): R;
  /** What is under way is to be undone as soon as it is known what there is to undo. */
  stop(turn: Turn<State>, node: N, run: R, place: Place): R;
}

/** How nodes of any kind behave, and blocks of nodes. */
export interface Engine<State> extends Behaviour<State, SagaNode<State>, Run> {
  readonly blocks: Behaviour<State, Block<State>, SequenceRun>;
}

/** What is added to an entry of a history. */
type Detail = Partial<Pick<HistoryEntry, 'change' | 'by' | 'why' | 'reason'>>;

/**
 * One decision while it is made: collects what the state becomes, what has to happen, and what is remembered of it. It does
 * not outlive the decision.
 */
export class Turn<State> {
  readonly actions: SagaAction[] = [];
  /** Steps that have been given up in this turn. */
  readonly stuck: ParkedStep[] = [];
  state: State;
  history: readonly HistoryEntry[];
  /** What comes before it, if that was left out. */
  readonly past: Past | undefined;
  /** Why something has failed, the last time it did. */
  failure: SagaFailure | undefined;
  /** Why a signal changes nothing, if nobody takes it. */
  refusal: string | undefined;
  /** It answers something that is over. */
  isLate = false;
  /** Events that came before they were waited for. */
  early: readonly EarlyEvent[];
  /** An event has found who waits for it. */
  taken = false;

  constructor(
    readonly definition: SagaDefinition<State>,
    readonly instance: Omit<SagaInstance<State>, 'run'>,
    readonly engine: Engine<State>,
    readonly now: number,
  ) {
    this.state = instance.state;
    this.history = instance.history;
    this.past = pastOf(instance);
    this.early = instance.early ?? [];
  }

  /**
   * Has something done.
   *
   * @param key of an earlier attempt, or of what is undone by it
   * @param undoable it may be undone later
   * @returns its key: of a command that can be undone, by which it is handled in order; of a lock, its name
   */
  perform(
    act: Act<State>,
    place: Place,
    direction: Direction,
    attempt: number,
    key: string | undefined,
    undoable: boolean,
  ): string | undefined {
    const { state } = this;
    const { saga, id: instance } = this.instance;
    const id = formatCommandId({ saga, id: instance, path: place.path, direction, attempt });
    switch (act.kind) {
      case 'send': {
        const command = act.make(state, place.item);
        // What undoes it is handled in order with it, so it has the same key.
        const used = key ?? (undoable ? (keyOf(command) ?? this.instance.correlationid) : undefined);
        this.actions.push({ kind: 'send', id, command, direction, undoable: undoable || undefined, key: used });
        return used;
      }
      case 'call':
        this.actions.push({
          kind: 'call',
          id,
          work: act.work,
          state,
          item: place.item,
          attempt,
          withinMs: act.withinMs,
        });
        return undefined;
      case 'child':
        this.actions.push({
          kind: 'start-child',
          id,
          saga: act.saga,
          child: `${instance}.${place.path}`,
          input: act.input(state, place.item),
        });
        return undefined;
      case 'undo-child':
        this.actions.push({ kind: 'undo-child', id, saga: act.saga, child: `${instance}.${place.path}` });
        return undefined;
      case 'lock': {
        const lock = act.key(state, place.item);
        this.actions.push({ kind: 'lock', id, key: lock, otherwise: act.otherwise });
        return lock;
      }
      case 'unlock':
        this.actions.push({ kind: 'unlock', id, key: key! });
        return key;
    }
  }

  /** What the state becomes; answers how it differs, for the history. */
  become(state: State): StateChange | undefined {
    const change = changeBetween(this.state, state);
    if (change) this.state = state;
    return change;
  }

  /**
   * Adds to the history. The same thing again is counted.
   *
   * @throws PastNeeded when it may be the same as something in a past that was left out
   */
  note(step: string, { path }: Place, direction: Direction, what: Happening, detail?: Detail): void {
    const { now } = this;
    const known = detail ? -1 : this.history.findLastIndex((e) => isSame(e, path, direction, what));
    if (known < 0) {
      if (!detail && this.past?.mayHold(path, direction, what)) throw new PastNeeded();
      this.history = [...this.history, entryOf(step, path, direction, what, now, detail)];
      return;
    }
    const entry = this.history[known]!;
    this.history = this.history.with(known, { ...entry, times: entry.times + 1, last: now });
  }

  fail(step: string, reason: string): void {
    this.failure = { step, reason };
  }

  /** The signal changes nothing. */
  ignore(reason: string | undefined, isLate = false): void {
    this.refusal = reason;
    this.isLate = isLate;
  }

  /** Takes an event that has come before, the oldest one that fits. */
  takeEarly(type: string, fits: (event: object) => boolean): object | undefined {
    const found = this.early.find((event) => event.type === type && fits(event.data));
    if (found) this.early = this.early.filter((event) => event !== found);
    return found?.data;
  }

  record(event: SagaEvent): void {
    this.actions.push({ kind: 'record', event });
  }

  /** @param what tells it from what else the instance publishes */
  publish(message: object, what: string): void {
    const { saga, id } = this.instance;
    this.actions.push({ kind: 'publish', id: `${saga}/${encodeURIComponent(id)}/${what}`, message });
  }

  answer(to: Asker, reply: object): void {
    this.actions.push({ kind: 'answer', to, reply });
  }
}

function keyOf(command: object): string | undefined {
  const { key } = contractOf(command);
  const value = key === undefined ? undefined : (command as Record<string, unknown>)[key];
  return value === undefined || value === null ? undefined : String(value as string | number);
}

/** Not put together by spreading, for the reason of {@link draftOf}. */
function entryOf(
  step: string,
  path: string,
  direction: Direction,
  what: Happening,
  at: number,
  detail: Detail = {},
): HistoryEntry {
  const { change, reason, by, why } = detail;
  const entry: { -readonly [K in keyof HistoryEntry]: HistoryEntry[K] } = { step, path, direction, what, at, times: 1 };
  if (change !== undefined) entry.change = change;
  if (reason !== undefined) entry.reason = reason;
  if (by !== undefined) entry.by = by;
  if (why !== undefined) entry.why = why;
  return entry;
}

function isSame(entry: HistoryEntry, path: string, direction: Direction, what: Happening): boolean {
  return entry.path === path && entry.direction === direction && entry.what === what && entry.change === undefined;
}
