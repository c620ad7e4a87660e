import { contractOf } from '@millrace/messages';
import type { SagaDefinition } from './definition.js';
import { bounded } from './explore/bounded.js';
import { countPaths } from './explore/count-paths.js';
import { Exploration } from './explore/exploration.js';
import type { Invariant } from './explore/invariants.js';
import { BrokenInvariantError, ExploreResult } from './explore/explore-result.js';
import type { Move } from './explore/moves.js';
import { Samples } from './explore/samples.js';
import { isOver } from './instance.js';
import type { SagaStatus } from './instance.js';
import { definitionOf } from './saga-class.js';
import type { PlayableSaga } from './scenario.js';

export interface ExploreOptions<State> {
  /** What starts the saga: its message, or the input of a call. Default: made up, every field is a text. */
  readonly given?: object;
  /** Messages that come: replies and events, several of a class if it makes a difference. Default: made up like that. */
  readonly samples?: readonly object[];
  /** What local functions answer, and the last states of children, by the names of their steps. */
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
 * @throws BrokenInvariantError with the shortest script that leads to a state where something does not hold
 */
export function explore<State>(saga: PlayableSaga<State>, options: ExploreOptions<State> = {}): ExploreResult {
  const definition = typeof saga === 'function' ? definitionOf(new saga()) : saga;
  const { attempts = 2, cancels = true, people = true, maxStates = 50_000, invariants = [] } = options;
  const samples = new Samples(options.samples, options.answers);
  const exploration = new Exploration(
    bounded(definition, attempts),
    { samples, attempts, cancels, people },
    { maxStates, invariants },
  );
  exploration.run(startOf(definition, samples, options.given));
  const { problem, states, transitions, left } = exploration;
  if (problem) throw new BrokenInvariantError(definition.name, problem, explore);
  const endings: Partial<Record<SagaStatus, number>> = {};
  for (const { instance } of states.values()) {
    if (isOver(instance)) endings[instance.status] = (endings[instance.status] ?? 0) + 1;
  }
  const [first] = states.values();
  const paths = left === 0 ? countPaths(states.values(), first!) : undefined;
  return new ExploreResult(definition.name, states.size, transitions, paths, endings, left);
}

function startOf<State>({ start }: SagaDefinition<State>, samples: Samples, given: object | undefined): Move {
  const input = given ?? (start.on ? samples.of(start.on)[0]! : (samples.answersOf('input')[0] as object));
  const text = start.on ? `given ${contractOf(start.on).type}` : 'called';
  return { text, input: { kind: 'start', id: 'explored', input }, at: 0, helps: true };
}
