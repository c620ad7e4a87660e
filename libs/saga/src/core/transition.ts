import type { Direction } from './command-id.js';
import type { Act } from './definition.js';
import type { CallResult } from './engine/signal.js';
import type { Asker, HistoryEntry, SagaInstance } from './instance.js';
import type { SagaEvent } from './saga-events.js';

/** What can move a saga. */
export type SagaInput =
  | StartInput
  | ReplyInput
  | CalledInput
  | EventInput
  | WakeInput
  | UndoInput
  | CancelInput
  | DeadlineInput
  | ParkedStepInput
  | AbortInput;

export interface StartInput {
  readonly kind: 'start';
  /** Id of the instance. */
  readonly id: string;
  /** The message or the input that its first state is made of. */
  readonly input: object;
  /** What everything that the instance causes will share. Default: its id. */
  readonly correlationid?: string;
  readonly asker?: Asker;
}

export interface ReplyInput {
  readonly kind: 'reply';
  /** Id of the answered command. */
  readonly inReplyTo: string;
  readonly outcome: 'success' | 'failure';
  readonly type: string;
  readonly data: object;
}

/** A local function has ended. */
export interface CalledInput {
  readonly kind: 'called';
  readonly callId: string;
  readonly result: CallResult;
}

/** An event that the saga may wait for. */
export interface EventInput {
  readonly kind: 'event';
  readonly type: string;
  readonly data: object;
}

/** The instance's timer: everything that is due by now happens. */
export interface WakeInput {
  readonly kind: 'wake';
}

/** The saga that it is a part of takes it back. */
export interface UndoInput {
  readonly kind: 'undo';
  readonly asker: Asker;
}

interface Person {
  /** Who decides so. */
  readonly by: string;
  readonly why: string;
}

/** Turns a running saga round. */
export interface CancelInput extends Person {
  readonly kind: 'cancel';
}

/** Gives a running saga another deadline. */
export interface DeadlineInput extends Person {
  readonly kind: 'deadline';
  /** ms since 1970; undefined: none. */
  readonly at: number | undefined;
}

/** How a step that was given up goes on: tried again, left as it is, or done by somebody. */
export interface ParkedStepInput extends Person {
  readonly kind: 'retry' | 'skip' | 'resolve';
  /** Where the step stands. Default: the only one that is parked. */
  readonly path?: string;
  /** The state from now on; only for `resolve`. */
  readonly state?: unknown;
}

/** Ends a saga as it is. */
export interface AbortInput extends Person {
  readonly kind: 'abort';
}

/** What has to happen together with storing the moved instance. */
export type SagaAction =
  | SendAction
  | CallAction
  | StartChildAction
  | UndoChildAction
  | LockAction
  | UnlockAction
  | WakeAction
  | PublishAction
  | AnswerAction
  | RecordAction
  | KeepHistoryAction;

export interface SendAction {
  readonly kind: 'send';
  /** Deterministic id of the command. */
  readonly id: string;
  readonly command: object;
  readonly direction: Direction;
  /** What it does can be undone. */
  readonly undoable?: true | undefined;
  /** By which key it is handled in order, if not its own: that of what it undoes. */
  readonly key: string | undefined;
}

/** A local function is to be run; how it ends comes back as an input. */
export interface CallAction {
  readonly kind: 'call';
  readonly id: string;
  readonly work: Extract<Act<never>, { kind: 'call' }>['work'];
  readonly state: unknown;
  readonly item: unknown;
  readonly attempt: number;
  readonly withinMs: number;
}

export interface StartChildAction {
  readonly kind: 'start-child';
  readonly id: string;
  readonly saga: string;
  /** Id of the child. */
  readonly child: string;
  readonly input: object;
}

export interface UndoChildAction {
  readonly kind: 'undo-child';
  readonly id: string;
  readonly saga: string;
  readonly child: string;
}

export interface LockAction {
  readonly kind: 'lock';
  readonly id: string;
  readonly key: string;
  readonly otherwise: 'wait' | 'fail';
}

/** Without an id nobody waits for an answer. */
export interface UnlockAction {
  readonly kind: 'unlock';
  readonly id?: string;
  readonly key: string;
}

/** Sets the instance's one timer, in place of the one before; undefined: it needs none any more. */
export interface WakeAction {
  readonly kind: 'wake';
  /** ms since 1970 */
  readonly at: number | undefined;
}

/** A message for whoever it concerns: an event, or a command whose answer nobody waits for. */
export interface PublishAction {
  readonly kind: 'publish';
  readonly id: string;
  readonly message: object;
}

/** The asker is told how it ended. */
export interface AnswerAction {
  readonly kind: 'answer';
  readonly to: Asker;
  readonly reply: object;
}

export interface RecordAction {
  readonly kind: 'record';
  readonly event: SagaEvent;
}

/** The oldest entries of the history, which get a page of their own. */
export interface KeepHistoryAction {
  readonly kind: 'keep-history';
  readonly page: number;
  readonly entries: readonly HistoryEntry[];
}

export type Transition<State> =
  | {
      readonly outcome: 'moved';
      readonly instance: SagaInstance<State>;
      readonly actions: readonly SagaAction[];
    }
  /** Something came too late: it is remembered, and changes nothing else. */
  | { readonly outcome: 'noted'; readonly instance: SagaInstance<State>; readonly reason: string }
  /** Nothing changes: the input is repeated, or not for this instance. */
  | { readonly outcome: 'ignored'; readonly reason: string };
