import type { RetryPolicy } from '@millrace/broker';
import type { MessageClass } from '@millrace/messages';

/** A saga as immutable data: what starts it, its steps in order, and how it takes leave after compensation. */
export interface SagaDefinition<State = unknown> {
  readonly name: string;
  readonly start: SagaStart<State>;
  readonly steps: readonly StepDefinition<State>[];
  /** Sent when compensation is complete; the saga ends with its success. */
  readonly onCompensated: CommandPlan<State> | undefined;
}

/** The event that starts an instance. */
export interface SagaStart<State> {
  readonly event: MessageClass;
  /** The id of the instance that an event starts. */
  readonly id: (event: object) => string;
  readonly state: (event: object) => State;
}

export interface StepDefinition<State> {
  readonly name: string;
  readonly command: CommandPlan<State>;
  /** What to do with the reply of a type; a reply of another type is not an answer to this step. */
  readonly replies: ReadonlyMap<string, ReplyHandler<State>>;
  /** Undoes the step's business effect. Undefined: there is nothing to undo. */
  readonly undo: CommandPlan<State> | undefined;
  /** After the pivot: repeated until it succeeds, never given up. */
  readonly untilDone: boolean;
}

/** A command, how long one attempt may take, and how often and when it is tried again. */
export interface CommandPlan<State> {
  readonly command: (state: State, failure: SagaFailure | undefined) => object;
  /** Deadline of one attempt, ms. */
  readonly withinMs: number;
  readonly retry: RetryPolicy;
}

/** How a step takes one type of reply: go on with a new state, or turn round for a reason. */
export type ReplyHandler<State> =
  | { readonly reply: MessageClass; readonly succeeds: (state: State, reply: object) => State }
  | { readonly reply: MessageClass; readonly refuses: (state: State, reply: object) => string };

/** Why a saga turned round. */
export interface SagaFailure {
  /** Name of the step that was refused or given up. */
  readonly step: string;
  readonly reason: string;
}

/** Every reply class that a saga handles, each once: what its service has to validate. */
export function replyClassesOf<State>(definition: SagaDefinition<State>): readonly MessageClass[] {
  const handlers = definition.steps.flatMap((step) => [...step.replies.values()]);
  return [...new Set(handlers.map((handler) => handler.reply))];
}
