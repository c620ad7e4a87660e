import type { RetryPolicy } from '@millrace/broker';
import type { MessageClass } from '@millrace/messages';
import type { Call } from './call.js';
import type { CodeRun, Op } from './run.js';

/** A saga as immutable data: what starts it, what it does in which order, and what it says at its end. */
export interface SagaDefinition<State = unknown> {
  readonly name: string;
  /** Counted up by whoever changes the definition while instances are under way. */
  readonly version: number;
  /** Digest of its structure: instances go on with the structure that they began with. */
  readonly hash: string;
  readonly start: SagaStart<State>;
  readonly body: Block<State>;
  /** How long an instance may take before it turns round, ms. Undefined: for ever. */
  readonly withinMs: number | undefined;
  readonly ends: Endings<State>;
  /** By what else than its id an instance is found: business key to value. */
  readonly keys: ((state: State) => Readonly<Record<string, string>>) | undefined;
}

/** The message that starts an instance. */
export interface SagaStart<State> {
  /** An event, or a command to the context that runs the saga; undefined: it is started by a call only. */
  readonly on: MessageClass | undefined;
  /** The id of the instance that a message or an input starts. */
  readonly id: (input: object) => string;
  readonly state: (input: object) => State;
}

/** What is said at an end: an event is published, a command is sent until it succeeds, a reply answers who started the saga. */
export interface Endings<State> {
  readonly completed?: (state: State) => object;
  readonly compensated?: (state: State, failure: SagaFailure) => object;
  /** Nobody waits for an answer to this one. */
  readonly parked?: (state: State, failure: SagaFailure) => object;
}

/** Nodes that are done one after the other. */
export type Block<State> = readonly SagaNode<State>[];

export type SagaNode<State> =
  | StepNode<State>
  | ChoiceNode<State>
  | ParallelNode<State>
  | EachNode<State>
  | SleepNode<State>
  | WaitNode<State>
  | PivotNode
  | CodeNode<State>;

/** Something that is done by somebody, and may be undone. */
export interface StepNode<State> {
  readonly kind: 'step';
  readonly name: string;
  readonly do: Plan<State>;
  /** What to do with the reply of a type; a reply of another type is not an answer to this step. */
  readonly replies: ReadonlyMap<string, ReplyHandler<State>>;
  /** What to do with a reply of any other type. Undefined: it is not an answer to this step. */
  readonly anyReply?: (type: string, outcome: 'success' | 'failure') => ReplyHandler<State>;
  /** Undoes the step's business effect. Undefined: there is nothing to undo. */
  readonly undo: Plan<State> | undefined;
  /** After the pivot: only success counts. */
  readonly untilDone: boolean;
}

/** One of several ways on. */
export interface ChoiceNode<State> {
  readonly kind: 'choice';
  readonly name: string;
  readonly choose: (state: State, item: unknown) => string;
  readonly branches: ReadonlyMap<string, Block<State>>;
}

/** Several ways at the same time. */
export interface ParallelNode<State> {
  readonly kind: 'parallel';
  readonly name: string;
  readonly branches: ReadonlyMap<string, Block<State>>;
  /** How many branches have to be done. The others are undone then. */
  readonly join: number;
  /** What the state becomes then. */
  readonly joined?: (state: State, done: readonly string[]) => State;
}

/** The same for every item of a list. */
export interface EachNode<State> {
  readonly kind: 'each';
  readonly name: string;
  /** Asked once, when the saga comes here; stored as JSON. */
  readonly items: (state: State, item: unknown) => readonly unknown[];
  readonly body: Block<State>;
  /** How many items are worked on at the same time. 1: one after the other, in order. */
  readonly atOnce: number;
}

export interface SleepNode<State> {
  readonly kind: 'sleep';
  readonly name: string;
  /** When it goes on, ms since 1970. */
  readonly until: (state: State, now: number, item: unknown) => number;
}

/** Waits for an event. */
export interface WaitNode<State> {
  readonly kind: 'wait';
  readonly name: string;
  readonly event: MessageClass;
  /** The id of the instance that an event is for. */
  readonly id: (event: object) => string;
  /** Whether an event is the one. Default: any for the instance. */
  readonly accepts?: (state: State, event: object, item: unknown) => boolean;
  readonly take: (state: State, event: object) => State;
  readonly withinMs: number | undefined;
  /** What it goes on with when the event does not come. Without: it turns round. */
  readonly otherwise?: (state: State) => State;
}

/** From here on the saga only goes forward. */
export interface PivotNode {
  readonly kind: 'pivot';
  readonly name: string;
}

/** The code of a saga. It is run again for every input, from its beginning, and told what it was told before. */
export type Code = (saga: never, input: never) => unknown;

/** What code has begun after what it was told, and how it goes on. */
export type Course = CourseEnd & {
  readonly ops: readonly Op[];
  /** Of the operations, one for one. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- of a saga with any state
  readonly nodes: readonly SagaNode<any>[];
};

export type CourseEnd =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'returned'; readonly value: unknown }
  /** It has let a refusal through, or turns round by itself. */
  | { readonly kind: 'refused'; readonly failure: SagaFailure }
  /** It cannot go on: it has a defect, or does something else than it did before. */
  | { readonly kind: 'halted'; readonly reason: string };

/** Whose code it is. */
export interface CodeOwner {
  readonly saga: string;
  readonly id: string;
  readonly startedAt: number;
}

/** What the code does after what a journal says that it was told. */
export type Ask = (run: CodeRun, state: object, owner: CodeOwner) => Course;

/** A function that makes its steps as it runs: the whole body of a saga that is written as code. */
export interface CodeNode<State> {
  readonly kind: 'code';
  readonly name: string;
  readonly code: Code;
  /** The class of its input; undefined: the input is plain data. */
  readonly input: MessageClass | undefined;
  /** The events that it may wait for: how an instance is found by them. */
  readonly waits: readonly WaitNode<State>[];
  /** The classes of the commands that it may send, for descriptions of the service. */
  readonly sends: readonly MessageClass[];
  /** Tells what the code does; there only while a decision is made. */
  readonly ask?: Ask;
  /** The steps that the code of one instance has made, in the order in which they were begun; there only for that instance. */
  readonly nodes?: Block<State>;
}

/** What is done, how long one attempt may take, and how often and when it is tried again. */
export interface Plan<State> {
  readonly act: Act<State>;
  /** Deadline of one attempt, ms. Infinity: none. */
  readonly withinMs: number;
  readonly retry: RetryPolicy;
}

export type Act<State> =
  /** Sends a command. */
  | { readonly kind: 'send'; readonly make: (state: State, item: unknown) => object }
  /** Runs a function here. */
  | { readonly kind: 'call'; readonly work: (state: State, call: Call) => unknown; readonly withinMs: number }
  /** Starts another saga of this service. */
  | {
      readonly kind: 'child';
      readonly saga: string;
      readonly input: (state: State, item: unknown) => object;
    }
  /** Undoes such a saga. */
  | { readonly kind: 'undo-child'; readonly saga: string }
  /** Takes a lock, or waits for it. */
  | {
      readonly kind: 'lock';
      readonly key: (state: State, item: unknown) => string;
      readonly otherwise: 'wait' | 'fail';
    }
  | { readonly kind: 'unlock' };

/** How a step takes one type of reply: go on with a new state, or turn round for a reason. */
export type ReplyHandler<State> =
  | {
      readonly reply: MessageClass | undefined;
      readonly succeeds: (state: State, reply: object, item: unknown) => State;
    }
  | {
      readonly reply: MessageClass | undefined;
      readonly refuses: (state: State, reply: object, item: unknown) => string;
    };

/** Why a saga turned round. */
export interface SagaFailure {
  /** Name of the step that was refused or given up; of a saga that a person or its deadline turned round, that. */
  readonly step: string;
  readonly reason: string;
}

/** Every node of a block, those inside of others too. */
export function nodesOf<State>(block: Block<State>): readonly SagaNode<State>[] {
  return block.flatMap((node): readonly SagaNode<State>[] => {
    if (node.kind === 'each') return [node, ...nodesOf(node.body)];
    if (node.kind === 'code') return [node, ...node.waits];
    if (node.kind === 'choice' || node.kind === 'parallel') {
      return [node, ...[...node.branches.values()].flatMap((branch) => nodesOf(branch))];
    }
    return [node];
  });
}

export function stepsOf<State>(definition: SagaDefinition<State>): readonly StepNode<State>[] {
  return nodesOf(definition.body).filter((node) => node.kind === 'step');
}

/** Every reply class that a saga handles, each once: what its service has to validate. */
export function replyClassesOf<State>(definition: SagaDefinition<State>): readonly MessageClass[] {
  const handlers = stepsOf(definition).flatMap((step) => [...step.replies.values()]);
  return [...new Set(handlers.flatMap(({ reply }) => reply ?? []))];
}

/** The code of a saga that is written as code; undefined: it is described by nodes. */
export function codeOf<State>({ body }: Pick<SagaDefinition<State>, 'body'>): CodeNode<State> | undefined {
  return body[0]?.kind === 'code' ? body[0] : undefined;
}

/** The waits for events of a saga. */
export function waitsOf<State>(definition: SagaDefinition<State>): readonly WaitNode<State>[] {
  return nodesOf(definition.body).filter((node) => node.kind === 'wait');
}
