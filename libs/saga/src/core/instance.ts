import type { Direction } from './command-id.js';
import type { SagaFailure } from './definition.js';
import type { SequenceRun, StepRun } from './run.js';
import type { StateChange } from './state-change.js';

/**
 * - `running`: does its steps
 * - `compensating`: undoes them in reverse order
 * - `completing`, `rejecting`: everything is done, or undone; its last command is on its way
 * - `completed`, `compensated`: has ended
 * - `parked`: a step was given up; stopped for a person
 * - `aborted`: a person has ended it as it was
 */
export type SagaStatus =
  'running' | 'compensating' | 'completing' | 'rejecting' | 'completed' | 'compensated' | 'parked' | 'aborted';

/** One run of a saga, as it is stored: plain JSON. */
export interface SagaInstance<State = unknown> {
  readonly saga: string;
  readonly id: string;
  /** The definition that it began with, and goes on with. */
  readonly version: number;
  readonly hash: string;
  /** Everything that the instance causes shares it. */
  readonly correlationid: string;
  readonly status: SagaStatus;
  readonly state: State;
  /** How far it has come. */
  readonly run: SequenceRun;
  /** The last command, on its way. */
  readonly farewell?: StepRun;
  /** Why it turned round. */
  readonly failure?: SagaFailure;
  /** Steps that wait for a person. */
  readonly parked?: readonly ParkedStep[];
  /** What happened, the newest; {@link pages} more pages are stored beside it. */
  readonly history: readonly HistoryEntry[];
  readonly pages?: number;
  /** Events that came before it waited for them. */
  readonly early?: readonly EarlyEvent[];
  /** When something is due next, ms since 1970. */
  readonly wakeAt?: number;
  /** When it turns round by itself, ms since 1970. */
  readonly deadline?: number;
  /** Who is told how it ends: the saga that it is a part of, or who asked for it. */
  readonly asker?: Asker;
  /** ms since 1970 */
  readonly startedAt: number;
  readonly updatedAt: number;
  readonly endedAt?: number;
}

export interface Asker {
  /** Where the answer goes: `<context>/<partition>`. */
  readonly replyto: string;
  /** Id of the command that is answered. */
  readonly commandId: string;
  /** A saga, which is told the state, too; else it gets the reply that the definition says. */
  readonly parent?: true;
}

/** A step that was given up. */
export interface ParkedStep {
  readonly step: string;
  readonly path: string;
  /** While it was done, or while it was undone. */
  readonly direction: Direction;
  readonly reason: string;
}

export interface EarlyEvent {
  readonly type: string;
  readonly data: object;
}

/** Something that happened in a saga. The same thing again, by retries, is counted, so that a history stays short. */
export interface HistoryEntry {
  /** Name of the step; of the last command `completion` or `rejection`; of what concerns the whole saga `saga`. */
  readonly step: string;
  /** Where the step stands: `2`, `3.hotel.0`; `end` for the last command, empty for the whole saga. */
  readonly path: string;
  readonly direction: Direction;
  readonly what: Happening;
  /** The first time, ms since 1970. */
  readonly at: number;
  readonly times: number;
  /** The last time, if there was more than one. */
  readonly last?: number;
  /** How it changed the state. */
  readonly change?: StateChange;
  readonly reason?: string;
  /** The person who decided it, and why. */
  readonly by?: string;
  readonly why?: string;
}

/**
 * `late`: something came for a step that was over. `deadline-moved`: to when its reason says. `migrated`: it goes on with another version of its definition. The others
 * are what their words say.
 */
export type Happening =
  | 'started'
  | 'sent'
  | 'done'
  | 'refused'
  | 'failed'
  | 'timed-out'
  | 'given-up'
  | 'late'
  | 'turned'
  | 'cancelled'
  | 'deadline-moved'
  | 'retried'
  | 'skipped'
  | 'resolved'
  | 'aborted'
  | 'migrated'
  | 'completed'
  | 'compensated';

/** Whether it has ended. */
export function hasEnded({ status }: Pick<SagaInstance, 'status'>): boolean {
  return status === 'completed' || status === 'compensated' || status === 'aborted';
}

/** Whether nothing moves it any more but a person: it has ended, or is parked. */
export function isOver(instance: Pick<SagaInstance, 'status'>): boolean {
  return hasEnded(instance) || instance.status === 'parked';
}
