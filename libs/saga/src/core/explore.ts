import { ConfigurationError } from '@millrace/broker';
import { contractOf } from '@millrace/messages';
import type { IsCodeState } from './code/code-state.js';
import { KnownCourses } from './code/known-courses.js';
import { codeOf } from './definition.js';
import type { SagaDefinition } from './definition.js';
import { bounded, boundedNode } from './explore/bounded.js';
import { countPaths } from './explore/count-paths.js';
import { Exploration } from './explore/exploration.js';
import type { Invariant } from './explore/invariants.js';
import { BrokenInvariantError, ExploreResult } from './explore/explore-result.js';
import type { Move } from './explore/moves.js';
import { Samples } from './explore/samples.js';
import { isOver } from './instance.js';
import type { SagaStatus } from './instance.js';
import { playableDefinition } from './playable-saga.js';
import type { PlayableSaga } from './playable-saga.js';
import type { Caller } from './scenario/wrong.js';

export interface ExploreOptions<State> {
  /**
   * What starts the saga: its message, or the input of a call. Default: made up, every field is a text. A saga in code has to be
   * given one.
   */
  readonly given?: object;
  /**
   * Messages that come: replies and events, several of a class if it makes a difference. Default: made up like that. A saga in
   * code has to be given the events that it waits for.
   */
  readonly samples?: readonly object[];
  /**
   * What local functions answer, and the last states of children, by the names of their steps. Of a saga in code also the replies
   * to a command, by the name of its step or by its type, unless `@Command` lists their classes.
   */
  readonly answers?: Readonly<Record<string, readonly unknown[]>>;
  /** What has to hold in every state, besides what holds for every saga. */
  readonly invariants?: readonly Invariant<State>[];
  /** Attempts of a step, and failures in a row of one that is never given up. Default 2. */
  readonly attempts?: number;
  /** Whether somebody may cancel it at any moment. Default true. */
  readonly cancels?: boolean;
  /** Whether a person decides about parked steps; else the way ends there. Default true. */
  readonly people?: boolean;
  /** So many states at most; the result says if there are more. Default 50 000. */
  readonly maxStates?: number;
}

/** What `explore` answers: code takes a moment to run. */
export type Explored<State> = IsCodeState<State> extends true ? Promise<ExploreResult> : ExploreResult;

/**
 * Goes every way that a saga can go: every command is answered by each of its replies, in any order, late, twice, or never;
 * functions answer, refuse and throw; events come early, in time, or not; the saga is cancelled at any moment; people decide about
 * parked steps. Equal states are visited once. What must hold for every saga is checked everywhere: it always comes to
 * an end, everything done is undone in reverse order and once, nothing after the pivot, no command is sent twice.
 *
 * ```ts
 * const result = explore(PlaceOrder);
 * console.log(`${result}`); // place-order: 214 states, 801 transitions, 5 902 ways; 12 completed, ...
 * expect(result.exhausted).toBe(true);
 * ```
 *
 * Of a saga in code also: it begins the same operations whenever it is run again, and never fails by a defect.
 *
 * @throws BrokenInvariantError with the shortest script that leads to a state where something does not hold
 */
export function explore<State>(saga: PlayableSaga<State>, options: ExploreOptions<State> = {}): Explored<State> {
  const definition = playableDefinition(saga);
  const { attempts = 2, cancels = true, people = true, maxStates = 50_000, invariants = [] } = options;
  const inCode = codeOf(definition) !== undefined;
  const samples = new Samples(options.samples, options.answers, inCode);
  const courses = new KnownCourses((node) => boundedNode(node, attempts));
  const exploration = new Exploration(
    bounded(definition, attempts),
    courses,
    { samples, attempts, cancels, people },
    { maxStates, invariants },
  );
  const start = startOf(definition, samples, options.given);
  const run = () => {
    exploration.run(start);
    return resultOf(definition.name, exploration, explore);
  };
  return (inCode ? courses.whenKnown(run) : run()) as Explored<State>;
}

function resultOf<State>(saga: string, exploration: Exploration<State>, caller: Caller): ExploreResult {
  const { problem, states, transitions, left } = exploration;
  if (problem) throw new BrokenInvariantError(saga, problem, caller);
  const endings: Partial<Record<SagaStatus, number>> = {};
  for (const { instance } of states.values()) {
    if (isOver(instance)) endings[instance.status] = (endings[instance.status] ?? 0) + 1;
  }
  const [first] = states.values();
  const paths = left === 0 ? countPaths(states.values(), first!) : undefined;
  return new ExploreResult(saga, states.size, transitions, paths, endings, left);
}

/** @throws ConfigurationError for a saga in code without `given`: what it gets is no made up message */
function startOf<State>(definition: SagaDefinition<State>, samples: Samples, given: object | undefined): Move {
  const { name, start } = definition;
  if (!given && codeOf(definition)) {
    throw new ConfigurationError(`saga '${name}' is written as code: give explore { given }, what it starts with`);
  }
  const input = given ?? (start.on ? samples.of(start.on)[0]! : (samples.answersOf('input')[0] as object));
  const text = start.on ? `given ${contractOf(start.on).type}` : 'called';
  return { text, input: { kind: 'start', id: 'explored', input }, at: 0, helps: true };
}
