import type { FailureOf, SuccessOf } from '@millrace/messages';
import type { Call, Refused } from '../call.js';
import type { Duration } from './duration.js';
import type { AnyCommand, FinishedStep, ReplyClass, StepWith, Without } from './reply-typing.js';

/** The beginning of a step that can be undone. */
export interface NewStep<State, Item = undefined> {
  /** The command of this step, made from the state each time it is sent. */
  sends<C extends AnyCommand>(
    command: (state: State, item: Item) => C,
  ): CompensatableStep<State, SuccessOf<C>, FailureOf<C>, Item>;

  /**
   * A function of this service. It runs once, and again only when it throws or the process dies: so it is to tell a
   * repetition by `idempotencyKey`. It says no with `refused(reason)`; then it must have done nothing.
   */
  calls<R>(work: (state: State, call: Call<Item>) => R | Promise<R>): LocalStep<State, Exclude<R, Refused>, Item>;
}

/** The beginning of a step after the pivot. */
export interface NewForwardStep<State, Item = undefined> {
  /** The command of this step, made from the state each time it is sent. */
  sends<C extends AnyCommand>(command: (state: State, item: Item) => C): ForwardStep<State, SuccessOf<C>, Item>;
  /** A function of this service, as before the pivot. */
  calls<R>(
    work: (state: State, call: Call<Item>) => R | Promise<R>,
  ): LocalForwardStep<State, Exclude<R, Refused>, Item>;
}

/**
 * A step before the pivot. Finished when `Successes` and `Failures`, the replies without a handler, are empty.
 * Two replies with exactly the same fields are one to the compiler; their type names tell them apart at run time.
 */
export interface CompensatableStep<State, Successes, Failures, Item = undefined> extends StepWith<
  Successes | Failures
> {
  /** On this reply the step is done; `state` makes the state that the saga goes on with. */
  onReply<R extends object>(
    reply: ReplyClass<R, Successes>,
    state?: (state: State, reply: R, item: Item) => State,
  ): CompensatableStep<State, Without<Successes, R>, Failures, Item>;

  /** On this reply nothing was done and the saga turns round. The reason defaults to the type of the reply. */
  failsOn<R extends object>(
    reply: ReplyClass<R, Failures>,
    reason?: (state: State, reply: R, item: Item) => string,
  ): CompensatableStep<State, Successes, Without<Failures, R>, Item>;

  /**
   * The command that undoes this step. It is also sent when the outcome of the step is unknown, so the state may lack
   * what the reply would have brought, and the participant must accept it before, after and instead of the step's command.
   */
  compensates(command: (state: State, item: Item) => AnyCommand, options?: CompensationOptions): this;

  /** How long one attempt may take. Default 30 s. */
  within(deadline: Duration): this;

  /** Further attempts after the first has met its deadline. Default 0. */
  retries(times: number): this;
}

/** A local step before the pivot. */
export interface LocalStep<State, Result, Item = undefined> extends FinishedStep {
  /** Makes the state that the saga goes on with of what the function answered. */
  onResult(state: (state: State, result: Result, item: Item) => State): this;

  /** The function that undoes this step. It is also run when the outcome of the step is unknown. */
  compensates(work: (state: State, call: Call<Item>) => unknown, options?: CompensationOptions): this;

  /** How long one attempt may take; then its signal is aborted. Default 30 s. */
  within(deadline: Duration): this;

  /** Further attempts after the first has failed, with growing waits. Default 2. */
  retries(times: number): this;
}

/** A step after the pivot: repeated with growing waits until it succeeds. */
export interface ForwardStep<State, Successes, Item = undefined> {
  /** Makes the state that the saga goes on with. Without a handler a success leaves it as it is. */
  onReply<R extends object>(
    reply: ReplyClass<R, Successes>,
    state?: (state: State, reply: R, item: Item) => State,
  ): ForwardStep<State, Without<Successes, R>, Item>;

  /** How long one attempt may take. Default 30 s. */
  within(deadline: Duration): this;

  /** Sends the command again until it succeeds. */
  untilDone(options?: UntilDoneOptions): FinishedStep;
}

/** A local step after the pivot. */
export interface LocalForwardStep<State, Result, Item = undefined> {
  /** Makes the state that the saga goes on with of what the function answered. */
  onResult(state: (state: State, result: Result, item: Item) => State): this;
  /** How long one attempt may take; then its signal is aborted. Default 30 s. */
  within(deadline: Duration): this;
  /** Runs it again until it succeeds. */
  untilDone(options?: UntilDoneOptions): FinishedStep;
}

export interface UntilDoneOptions {
  /** Attempts before the saga is parked for a person. Default: for ever. */
  readonly attempts?: number;
}

export interface CompensationOptions {
  /** How long one attempt may take. Default 10 s. */
  readonly within?: Duration;
  /** Attempts before the saga is parked for a person. Default 10. */
  readonly attempts?: number;
}
