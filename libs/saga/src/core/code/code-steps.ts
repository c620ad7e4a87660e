import type { MessageClass, FailureOf, SuccessOf } from '@millrace/messages';
import type { Call, Refused } from '../call.js';
import type { ChildClass, LockOptions } from '../dsl/block.js';
import type { Duration } from '../dsl/duration.js';
import type { AnyCommand } from '../dsl/reply-typing.js';
import type { CompensationOptions } from '../dsl/step.js';
import type { Stored } from './stored.js';

/**
 * What the code of a saga does its operations with. Each is recorded: when the code is run again, it is answered from the
 * record. Its name is unique within the run, in loops e.g. `reserve ${i}`.
 *
 * An operation that was refused or given up throws {@link StepRefused}, as soon as nothing of it remains.
 */
export interface CodeSteps {
  /**
   * Runs a function of this service. It runs once, and again only when it throws or the process dies: so it is to tell a
   * repetition by `idempotencyKey`. It says no with `refused(reason)`; then it must have done nothing.
   *
   * @param undo undoes it when the saga turns round, or when its outcome is unknown: then without a result
   */
  step<R>(
    name: string,
    work: (call: Call<undefined>) => R | Promise<R>,
    undo?: (result: Stored<Exclude<R, Refused>> | undefined, call: UndoCall) => unknown,
    options?: StepOptions,
  ): Promise<Stored<Exclude<R, Refused>>>;

  /** Sends a command, and waits for its reply: a success is the answer, a failure refuses. */
  send<C extends AnyCommand>(name: string, command: C, options?: SendOptions<C>): Promise<SuccessOf<C>>;

  /** Runs another saga of this service as a part of this one. Answers its last state; of a saga of code, see its `output`. */
  child<State, Input extends object>(
    name: string,
    saga: ChildClass<State, Input>,
    input: Input,
    options?: { /** How long it may take. Default: for ever. */ readonly within?: Duration },
  ): Promise<Stored<State>>;

  /**
   * Locks a key for this saga until it ends (semantic lock): other sagas of this context that lock it wait for it, in order, or
   * are refused.
   */
  lock(name: string, key: string, options?: LockOptions): Promise<void>;

  /** Lets time pass: so long, or until then. */
  sleep(name: string, until: Duration | Date): Promise<void>;

  /** Waits for an event of a class that stands in `waitsFor`. It may have come before. */
  waitFor<E extends object>(name: string, event: MessageClass<E>, options?: WaitForOptions<E>): Promise<E>;

  /**
   * From here the saga only goes forward: what is begun after this is repeated until it is done, and has no `undo`. Nothing may
   * be under way.
   */
  pivot(): void;

  /** Turns the saga round. */
  turnRound(reason: string): never;

  /** When the saga came here: the same time whenever the code is run again. */
  now(): Date;

  /** An id that is the same whenever the code is run again, and no other saga's. It is made of the saga's id: it is no secret. */
  uuid(): string;
}

/** What a function that undoes is told about its call. */
export interface UndoCall extends Call<undefined> {
  /** The `idempotencyKey` with which the step was done. */
  readonly undoes: string;
}

interface Patience {
  /** How long one attempt may take. Default 30 s. */
  readonly within?: Duration;
  /** How long an attempt to undo it may take, and how many there are before the saga is parked. Default 10 s, 10 attempts. */
  readonly undoing?: CompensationOptions;
}

export interface StepOptions extends Patience {
  /** Further attempts after the first has failed, with growing waits. Default 2; after the pivot, for ever. */
  readonly retries?: number;
}

export interface SendOptions<C> extends Patience {
  /** Further attempts after the first has met its deadline. Default 0; after the pivot, for ever. */
  readonly retries?: number;
  /** The command that undoes it. Without a reply the outcome is unknown: it has to be accepted before, after and instead of the command. */
  readonly undo?: (reply: SuccessOf<C> | undefined) => AnyCommand;
  /** Why it is refused, of the reply that says so. Default: the type of that reply. */
  readonly reason?: (reply: FailureOf<C>) => string;
}

export interface WaitForOptions<E> {
  /** How long it waits; then it is refused. Default: for ever. */
  readonly within?: Duration;
  /** Whether it is the event that is waited for. Default: any for the instance. */
  readonly accepts?: (event: E) => boolean;
}
