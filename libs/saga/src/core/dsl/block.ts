import type { MessageClass } from '@millrace/messages';
import type { Duration } from './duration.js';
import type { FinishedStep } from './reply-typing.js';
import type { UnnamedSaga } from './unnamed-saga.js';
import type { NewForwardStep, NewStep } from './step.js';

/**
 * What is done one after the other, before the pivot. Names are unique in a saga. Inside of `each`, functions get the item
 * of the list as their second argument.
 */
export interface Nodes<State, Item> {
  /** The next step. Its command's replies must all have handlers. @throws ConfigurationError for a name used before */
  step(name: string, describe: (step: NewStep<State, Item>) => FinishedStep): this;

  /** What is done if a condition holds when the saga comes here, and perhaps what is done otherwise. */
  when(
    name: string,
    condition: (state: State, item: Item) => boolean,
    then: Branch<Nodes<State, Item>>,
    otherwise?: Branch<Nodes<State, Item>>,
  ): this;

  /** One of several branches, chosen when the saga comes here. Every name that can be chosen has a branch. */
  choose<Name extends string>(
    name: string,
    choose: (state: State, item: Item) => Name,
    branches: { readonly [N in Name]: Branch<Nodes<State, Item>> },
  ): this;

  /**
   * Several branches at the same time. When as many are done as `join` says, the others are undone, and the saga goes on;
   * when so many cannot be done any more, it turns round.
   */
  parallel<Name extends string>(
    name: string,
    branches: { readonly [N in Name]: Branch<Nodes<State, Item>> },
    options?: JoinOptions<State, Name>,
  ): this;

  /** The same for every item of a list, which is read once, when the saga comes here, and is stored as JSON. */
  each<E>(
    name: string,
    items: (state: State, item: Item) => readonly E[],
    body: Branch<Nodes<State, E>>,
    options?: EachOptions,
  ): this;

  /**
   * Another saga of this service as a step: done when it is completed, refused when it is compensated, undone as a whole.
   * One that is past its pivot cannot be undone: then this saga is parked.
   */
  child<Input extends object, ChildState>(
    name: string,
    saga: ChildClass<ChildState, Input>,
    input: (state: State, item: Item) => Input,
    options?: ChildOptions<State, ChildState, Item>,
  ): this;

  /** Lets time pass: a length of time, or until a moment. */
  sleep(name: string, until: Duration | ((state: State, item: Item) => Duration | Date)): this;

  /** Waits for an event; one that came before, since the saga has started, counts. */
  waitFor<E extends object>(name: string, event: MessageClass<E>, options?: WaitOptions<State, E, Item>): this;

  /**
   * Locks a key for this saga until it ends (semantic lock): other sagas of this context that lock it wait for it, in order, or
   * turn round.
   */
  lock(name: string, key: (state: State, item: Item) => string, options?: LockOptions): this;
}

/** What is done one after the other, after the pivot: everything succeeds in the end. */
export interface ForwardNodes<State, Item> {
  /** The next step, which ends with `.untilDone()`. @throws ConfigurationError for a name used before */
  step(name: string, describe: (step: NewForwardStep<State, Item>) => FinishedStep): this;
  /** As before the pivot. */
  when(
    name: string,
    condition: (state: State, item: Item) => boolean,
    then: Branch<ForwardNodes<State, Item>>,
    otherwise?: Branch<ForwardNodes<State, Item>>,
  ): this;
  /** As before the pivot. */
  choose<Name extends string>(
    name: string,
    choose: (state: State, item: Item) => Name,
    branches: { readonly [N in Name]: Branch<ForwardNodes<State, Item>> },
  ): this;
  /** Several branches at the same time; all have to be done. */
  parallel(name: string, branches: Readonly<Record<string, Branch<ForwardNodes<State, Item>>>>): this;
  /** As before the pivot. */
  each<E>(
    name: string,
    items: (state: State, item: Item) => readonly E[],
    body: Branch<ForwardNodes<State, E>>,
    options?: EachOptions,
  ): this;
  /** As before the pivot. */
  sleep(name: string, until: Duration | ((state: State, item: Item) => Duration | Date)): this;
  /** Waits for an event, for ever or until it goes on without it. */
  waitFor<E extends object>(name: string, event: MessageClass<E>, options?: ForwardWaitOptions<State, E, Item>): this;
}

/** Describes what is done in a branch. */
export type Branch<B> = (block: B) => B;

export interface JoinOptions<State, Name extends string = string> {
  /** How many branches have to be done: all of them (default), any one, or so many. */
  readonly join?: 'all' | 'any' | number;
  /**
   * The state that the saga goes on with once so many are done, of their names. What the steps of the other branches have
   * made of the state stays, though they are undone.
   */
  readonly onJoined?: (state: State, done: readonly NoInfer<Name>[]) => State;
}

export interface EachOptions {
  /** How many items are worked on at the same time. Default 1: one after the other, undone in reverse order. */
  readonly atOnce?: number;
}

/** A class with `@Saga`. */
export type ChildClass<State, Input extends object> = abstract new (...args: never[]) => {
  readonly definition: UnnamedSaga<State, Input>;
};

export interface ChildOptions<State, ChildState, Item> {
  /** The state that this saga goes on with, of the last one of the child. */
  readonly onCompleted?: (state: State, child: ChildState, item: Item) => State;
  /** How long it may take. Default: for ever. */
  readonly within?: Duration;
}

export interface ForwardWaitOptions<State, E, Item> {
  /** The id of the instance that an event is for. Default: the key of the event's contract. */
  readonly id?: (event: E) => string;
  /** Whether it is the event that is waited for. Default: any for the instance. */
  readonly accepts?: (state: State, event: E, item: Item) => boolean;
  /** The state that the saga goes on with. */
  readonly onEvent?: (state: State, event: E) => State;
  /** How long it waits, and what state it goes on with then. */
  readonly orElse?: { readonly within: Duration; readonly state?: (state: State) => State };
}

export interface WaitOptions<State, E, Item> extends ForwardWaitOptions<State, E, Item> {
  /** How long it waits; then the saga turns round. Default: for ever. */
  readonly within?: Duration;
}

export interface LockOptions {
  /** What happens when another saga has the key: this one waits for it (default), or turns round. */
  readonly otherwise?: 'wait' | 'fail';
  /** How long it waits at most; then it turns round. Default 30 s. */
  readonly within?: Duration;
}
