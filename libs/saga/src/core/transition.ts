import type { SagaInstance } from './instance.js';
import type { SagaEvent } from './saga-events.js';

/** What can move a saga. */
export type SagaInput = StartInput | ReplyInput | TimerInput;

export interface StartInput {
  readonly kind: 'start';
  /** Id of the instance. */
  readonly id: string;
  readonly event: object;
  /** What everything that the instance causes will share. Default: its id. */
  readonly correlationid?: string;
}

export interface ReplyInput {
  readonly kind: 'reply';
  /** Id of the answered command. */
  readonly inReplyTo: string;
  readonly outcome: 'success' | 'failure';
  readonly type: string;
  readonly data: object;
}

/** The instance's timer: `deadline`, its command was not answered in time; `retry`, the wait after a failure is over. */
export interface TimerInput {
  readonly kind: 'deadline' | 'retry';
  readonly commandId: string;
}

/** What has to happen together with storing the moved instance. */
export type SagaAction = SendAction | TimerAction | CancelTimerAction | RecordAction;

export interface SendAction {
  readonly kind: 'send';
  /** Deterministic id of the command. */
  readonly id: string;
  readonly command: object;
}

/** Sets the instance's one timer, in place of the one before. It comes back as an input of the same kind. */
export interface TimerAction {
  readonly kind: 'deadline' | 'retry';
  readonly commandId: string;
  /** ms since 1970 */
  readonly at: number;
}

export interface CancelTimerAction {
  readonly kind: 'cancel-timer';
}

export interface RecordAction {
  readonly kind: 'record';
  readonly event: SagaEvent;
}

export type Transition<State> =
  | {
      readonly outcome: 'moved';
      readonly instance: SagaInstance<State>;
      readonly actions: readonly SagaAction[];
    }
  /** Nothing changes: the input is late, repeated or not for this instance. */
  | { readonly outcome: 'ignored'; readonly reason: string };
