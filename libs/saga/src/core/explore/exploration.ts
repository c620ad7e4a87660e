import type { KnownCourses } from '../code/known-courses.js';
import { NotPlayed } from '../code/not-played.js';
import { isOver } from '../instance.js';
import type { SagaInstance } from '../instance.js';
import { next } from '../next.js';
import type { SagaDefinition } from '../definition.js';
import type { SagaAction, SagaInput, Transition } from '../transition.js';
import { isDeepStrictEqual } from 'node:util';
import { checks, sameCourse } from './invariants.js';
import type { Invariant } from './invariants.js';
import { keyOf, scriptOf } from './explored-state.js';
import type { ExploredState, Locks } from './explored-state.js';
import { afterActions, afterInput, requestOf } from './ledger.js';
import { movesOf } from './moves.js';
import type { Move, World } from './moves.js';

/** A state in which something does not hold. */
export interface Problem {
  /** What does not hold. */
  readonly invariant: string;
  readonly what: string;
  /** The shortest way there. */
  readonly script: readonly string[];
}

/** How many states, at most, and what has to hold in them. */
export interface Limits<State> {
  readonly maxStates: number;
  readonly invariants: readonly Invariant<State>[];
}

/** Goes to every state of a saga, the nearest first, and looks whether everything holds there. */
export class Exploration<State> {
  readonly states = new Map<string, ExploredState<State>>();
  transitions = 0;
  problem: Problem | undefined;
  /** States that were found and not gone on from, because they were too many. */
  left = 0;
  private readonly checks = Object.entries(checks<State>());
  private readonly withHistory: boolean;
  private readonly definition: SagaDefinition<State>;
  /** What decides again after a crash: code is run anew. */
  private readonly again: SagaDefinition<State>;
  private readonly queue: ExploredState<State>[] = [];
  /** How far the queue was gone through, and the moves of the state that stands there. */
  private at = 0;
  private moves: readonly Move[] | undefined;
  private tried = 0;

  constructor(
    definition: SagaDefinition<State>,
    private readonly courses: KnownCourses,
    private readonly world: World,
    private readonly limits: Limits<State>,
  ) {
    this.definition = courses.asked(definition);
    this.again = courses.asked(definition, 1);
    this.withHistory = limits.invariants.some(({ holds }) => holds.length > 1);
  }

  /**
   * Goes on to the end.
   *
   * @throws NotPlayed where the code of the saga has not been run to; called again, it goes on from there
   */
  run(start: Move): void {
    if (this.states.size === 0) {
      const first = this.step(undefined, start);
      if (!first) return;
      this.queue.push(first);
    }
    for (; this.at < this.queue.length && !this.problem; this.at++) {
      if (this.states.size >= this.limits.maxStates) {
        this.left = this.queue.length - this.at;
        return;
      }
      this.goOn(this.queue[this.at]!);
    }
    if (!this.problem) this.endsAlways();
  }

  /** Makes every move that is possible in a state. Those that are reached for the first time come into the queue. */
  private goOn(from: ExploredState<State>): void {
    this.moves ??= movesOf(this.courses.made(this.definition, from.instance), from.instance, from.now, this.world);
    if (!isOver(from.instance) && !this.moves.some(({ helps }) => helps)) {
      this.blame(from, 'it always waits for something', `it is ${from.instance.status}, and nothing can move it`);
    }
    for (; this.tried < this.moves.length && !this.problem; this.tried++) {
      const reached = this.step(from, this.moves[this.tried]!);
      if (reached) this.queue.push(reached);
    }
    this.moves = undefined;
    this.tried = 0;
  }

  /** Plays one move; answers the state if it is a new one. */
  private step(from: ExploredState<State> | undefined, move: Move): ExploredState<State> | undefined {
    const played = this.decide(from, move);
    if (!played) return undefined;
    const { instance, actions } = played;
    const made = this.courses.made(this.definition, instance);
    this.transitions++;
    const ledger = afterActions(afterInput(from?.ledger ?? {}, move.input, move.parked), actions);
    const sent = actions.flatMap((each) => (requestOf(each) ? [(each as { id: string }).id] : []));
    const locks = locksAfter(from?.locks ?? {}, actions);
    const after: ExploredState<State> = { instance, ledger, now: move.at, sent, locks, from, move, to: [] };
    this.check(made, from, after, actions);
    const stored: ExploredState<State> = { ...after, instance: asStored(instance) };
    const key = keyOf(stored, this.withHistory);
    const known = this.states.get(key);
    from?.to.push({ state: known ?? stored, helps: move.helps });
    if (known) return undefined;
    this.states.set(key, stored);
    return stored;
  }

  private decide(
    from: ExploredState<State> | undefined,
    move: Move,
  ): { readonly instance: SagaInstance<State>; readonly actions: readonly SagaAction[] } | undefined {
    const decision = (by: SagaDefinition<State>, of: SagaInstance<State> | undefined) =>
      next(by, of, move.input, { now: move.at });
    try {
      const transition = decision(this.definition, from?.instance);
      if (transition.outcome !== 'moved') {
        if (from && transition.outcome === 'noted' && !sameCourse(transition.instance, from.instance)) {
          this.blame(from, 'what comes too late changes nothing', `it changes: ${move.text}`, move);
        }
        return undefined;
      }
      // A crash before the commit: the same is decided again. After it: a repeated answer is nothing new.
      const again = decision(this.again, from?.instance);
      if (!isDeepStrictEqual(plain(again), plain(transition))) {
        this.blame(from, 'the same is decided again after a crash', `it decides otherwise: ${move.text}`, move);
      }
      if (isRepeatable(move.input)) {
        const twice = decision(this.definition, asStored(transition.instance));
        if (twice.outcome === 'moved' && twice.actions.length > 0) {
          this.blame(from, 'what comes twice counts once', `it counts twice: ${move.text}`, move);
        }
      }
      return transition;
    } catch (error) {
      if (error instanceof NotPlayed) throw error;
      this.blame(
        from,
        'it decides on everything that can happen',
        `${String(error)}: ${move.text}. If it needs other data than those made up: give explore { given, samples, answers }`,
        move,
      );
      return undefined;
    }
  }

  private check(
    definition: SagaDefinition<State>,
    before: ExploredState<State> | undefined,
    after: ExploredState<State>,
    actions: readonly SagaAction[],
  ): void {
    for (const [name, check] of this.checks) {
      const wrong = check(definition, { before, after, actions });
      if (wrong !== undefined) return this.blame(after, name, wrong);
    }
    const { state, history } = after.instance;
    const broken = this.limits.invariants.find(({ holds }) => !holds(state, history));
    if (broken) this.blame(after, broken.name, `it does not hold for ${JSON.stringify(state)}`);
  }

  /** From every state an end can be reached by answers and time alone. */
  private endsAlways(): void {
    const sources = new Map<ExploredState<State>, ExploredState<State>[]>();
    const all = [...this.states.values()];
    for (const state of all) {
      for (const { state: to, helps } of state.to) if (helps) sources.set(to, [...(sources.get(to) ?? []), state]);
    }
    const ending = new Set(all.filter(({ instance }) => isOver(instance)));
    for (const state of ending) for (const source of sources.get(state) ?? []) ending.add(source);
    const lost = all.find((state) => !ending.has(state));
    if (lost)
      this.blame(lost, 'it always comes to an end', `it is ${lost.instance.status}, and no answers lead to an end`);
  }

  private blame(state: ExploredState<State> | undefined, invariant: string, what: string, move?: Move): void {
    this.problem ??= { invariant, what, script: [...(state ? scriptOf(state) : []), ...(move ? [move.text] : [])] };
  }
}

/** What the broker may hand over twice; events and what people do come once. */
function isRepeatable({ kind }: SagaInput): boolean {
  return kind === 'reply' || kind === 'called';
}

/** Functions that code has made are others when it is run anew. */
function plain<State>(transition: Transition<State>): Transition<State> {
  if (transition.outcome !== 'moved') return transition;
  const actions = transition.actions.map((each) => (each.kind === 'call' ? { ...each, work: nothing } : each));
  return { ...transition, actions };
}

function nothing(): void {}

function asStored<State>(instance: SagaInstance<State>): SagaInstance<State> {
  return JSON.parse(JSON.stringify(instance)) as SagaInstance<State>;
}

function locksAfter(locks: Locks, actions: readonly SagaAction[]): Locks {
  let held = Object.entries(locks);
  for (const action of actions) {
    if (action.kind === 'lock') held = [...held, [requestOf(action)!.path, action.key]];
    if (action.kind === 'unlock') held = held.filter(([, key]) => key !== action.key);
  }
  return Object.fromEntries(held);
}
