import type { Direction } from './command-id.js';
import type { SagaFailure } from './definition.js';

/**
 * - `running`: does its steps
 * - `compensating`: undoes them in reverse order
 * - `rejecting`: everything is undone, its last command is on its way
 * - `completed`, `compensated`: has ended
 * - `parked`: a compensation was given up; stopped for a person
 */
export type SagaStatus = 'running' | 'compensating' | 'rejecting' | 'completed' | 'compensated' | 'parked';

/** One run of a saga, as it is stored: plain JSON. */
export interface SagaInstance<State = unknown> {
  readonly saga: string;
  readonly id: string;
  /** Everything that the instance causes shares it. */
  readonly correlationid: string;
  readonly status: SagaStatus;
  /** Index of the step that is done or undone. */
  readonly step: number;
  readonly state: State;
  /** The command whose answer decides how it goes on. An instance that has not ended has one. */
  readonly pending?: PendingCommand;
  /** Why it turned round. */
  readonly failure?: SagaFailure;
  readonly history: readonly HistoryEntry[];
  /** ms since 1970 */
  readonly startedAt: number;
}

export interface PendingCommand {
  readonly id: string;
  readonly attempt: number;
  /** True between a failed attempt and the next one. */
  readonly waiting: boolean;
}

/** Something that happened in a saga. The same thing again, by retries, is counted, so that a history stays short. */
export interface HistoryEntry {
  /** Name of the step; of the last command of a failed saga: `rejection`. */
  readonly step: string;
  readonly direction: Direction;
  readonly what: Happening;
  /** The first time, ms since 1970. */
  readonly at: number;
  readonly times: number;
}

export type Happening = 'sent' | 'done' | 'refused' | 'timed-out' | 'given-up';

/** Whether nothing can move it any more. */
export function isOver(instance: SagaInstance): boolean {
  return instance.pending === undefined;
}
