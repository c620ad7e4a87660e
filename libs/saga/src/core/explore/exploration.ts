import { isOver } from '../instance.js';
import type { SagaInstance } from '../instance.js';
import { next } from '../next.js';
import type { SagaDefinition } from '../definition.js';
import type { SagaAction, SagaInput } from '../transition.js';
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

  constructor(
    private readonly definition: SagaDefinition<State>,
    private readonly world: World,
    private readonly limits: Limits<State>,
  ) {
    this.withHistory = limits.invariants.some(({ holds }) => holds.length > 1);
  }

  run(start: Move): void {
    const first = this.step(undefined, start);
    if (!first) return;
    const queue = [first];
    for (let at = 0; at < queue.length && !this.problem; at++) {
      if (this.states.size >= this.limits.maxStates) {
        this.left = queue.length - at;
        return;
      }
      queue.push(...this.goOn(queue[at]!));
    }
    if (!this.problem) this.endsAlways();
  }

  /** The states that are reached from one for the first time. */
  private goOn(from: ExploredState<State>): readonly ExploredState<State>[] {
    const moves = movesOf(this.definition, from.instance, from.now, this.world);
    if (!isOver(from.instance) && !moves.some(({ helps }) => helps)) {
      this.blame(from, 'it always waits for something', `it is ${from.instance.status}, and nothing can move it`);
    }
    const found: ExploredState<State>[] = [];
    for (const move of moves) {
      const reached = this.problem ? undefined : this.step(from, move);
      if (reached) found.push(reached);
    }
    return found;
  }

  /** Plays one move; answers the state if it is a new one. */
  private step(from: ExploredState<State> | undefined, move: Move): ExploredState<State> | undefined {
    const played = this.decide(from, move);
    if (!played) return undefined;
    this.transitions++;
    const { instance, actions } = played;
    const ledger = afterActions(afterInput(from?.ledger ?? {}, move.input, move.parked), actions);
    const sent = actions.flatMap((each) => (requestOf(each) ? [(each as { id: string }).id] : []));
    const locks = locksAfter(from?.locks ?? {}, actions);
    const after: ExploredState<State> = { instance, ledger, now: move.at, sent, locks, from, move, to: [] };
    this.check(from, after, actions);
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
    const { definition } = this;
    const decision = (of: SagaInstance<State> | undefined, now: number) => next(definition, of, move.input, { now });
    try {
      const transition = decision(from?.instance, move.at);
      if (!from && transition.outcome === 'moved') return transition;
      if (transition.outcome !== 'moved') {
        if (transition.outcome === 'noted' && !sameCourse(transition.instance, from!.instance)) {
          this.blame(from, 'what comes too late changes nothing', `it changes: ${move.text}`, move);
        }
        return undefined;
      }
      // A crash before the commit: the same is decided again. After it: a repeated answer is nothing new.
      const again = decision(from?.instance, move.at);
      if (!isDeepStrictEqual(again, transition)) {
        this.blame(from, 'the same is decided again after a crash', `it decides otherwise: ${move.text}`, move);
      }
      if (isRepeatable(move.input)) {
        const twice = decision(asStored(transition.instance), move.at);
        if (twice.outcome === 'moved' && twice.actions.length > 0) {
          this.blame(from, 'what comes twice counts once', `it counts twice: ${move.text}`, move);
        }
      }
      return transition;
    } catch (error) {
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
    before: ExploredState<State> | undefined,
    after: ExploredState<State>,
    actions: readonly SagaAction[],
  ): void {
    for (const [name, check] of this.checks) {
      const wrong = check(this.definition, { before, after, actions });
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
