import type { FailureOf, SuccessOf } from '@millrace/messages';
import type { Duration } from './duration.js';
import type { AnyCommand, FinishedStep, ReplyClass, StepWith, Without } from './reply-typing.js';

/** The beginning of a step that can be undone. */
export interface NewStep<State> {
  /** The command of this step, made from the state each time it is sent. */
  sends<C extends AnyCommand>(command: (state: State) => C): CompensatableStep<State, SuccessOf<C>, FailureOf<C>>;
}

/** The beginning of a step after the pivot. */
export interface NewForwardStep<State> {
  /** The command of this step, made from the state each time it is sent. */
  sends<C extends AnyCommand>(command: (state: State) => C): ForwardStep<State, SuccessOf<C>>;
}

/**
 * A step before the pivot. Finished when `Successes` and `Failures`, the replies without a handler, are empty.
 * Two replies with exactly the same fields are one to the compiler; their type names tell them apart at run time.
 */
export interface CompensatableStep<State, Successes, Failures> extends StepWith<Successes | Failures> {
  /** On this reply the step is done; `state` makes the state that the saga goes on with. */
  onReply<R extends object>(
    reply: ReplyClass<R, Successes>,
    state?: (state: State, reply: R) => State,
  ): CompensatableStep<State, Without<Successes, R>, Failures>;

  /** On this reply nothing was done and the saga turns round. The reason defaults to the type of the reply. */
  failsOn<R extends object>(
    reply: ReplyClass<R, Failures>,
    reason?: (state: State, reply: R) => string,
  ): CompensatableStep<State, Successes, Without<Failures, R>>;

  /**
   * The command that undoes this step. It is also sent when the outcome of the step is unknown, so the state may lack
   * what the reply would have brought, and the participant must accept it before, after and instead of the step's command.
   */
  compensates(command: (state: State) => AnyCommand, options?: CompensationOptions): this;

  /** How long one attempt may take. Default 30 s. */
  within(deadline: Duration): this;

  /** Further attempts after the first has met its deadline. Default 0. */
  retries(times: number): this;
}

/** A step after the pivot: repeated with growing waits until it succeeds. */
export interface ForwardStep<State, Successes> {
  /** Makes the state that the saga goes on with. Without a handler a success leaves it as it is. */
  onReply<R extends object>(
    reply: ReplyClass<R, Successes>,
    state?: (state: State, reply: R) => State,
  ): ForwardStep<State, Without<Successes, R>>;

  /** How long one attempt may take. Default 30 s. */
  within(deadline: Duration): this;

  /** Sends the command again, for ever, until it succeeds. */
  untilDone(): FinishedStep;
}

export interface CompensationOptions {
  /** How long one attempt may take. Default 10 s. */
  readonly within?: Duration;
  /** Attempts before the saga is parked for a person. Default 10. */
  readonly attempts?: number;
}
