import { isDeepStrictEqual } from 'node:util';
import { hasEnded } from '../instance.js';
import type { HistoryEntry } from '../instance.js';
import { codeOf } from '../definition.js';
import type { SagaDefinition } from '../definition.js';
import { begunSteps } from '../open-steps.js';
import { passedPivot } from '../pivot.js';
import { notJson } from './not-json.js';
import { beginsAfter, isAfter, mayBeLost, stepAt } from './order.js';
import { requestOf } from './ledger.js';
import { beganBehind } from './explored-state.js';
import type { ExploredState, Played } from './explored-state.js';

/** Something that has to hold whatever happens. */
export interface Invariant<State> {
  readonly name: string;
  readonly holds: (state: State, history: readonly HistoryEntry[]) => boolean;
}

/**
 * Something that has to hold in every state that a saga can come to.
 *
 * @param holds gets the state and, if it takes two arguments, the history; with a history more states differ
 */
export function invariant<State>(
  name: string,
  holds: (state: State, history: readonly HistoryEntry[]) => boolean,
): Invariant<State> {
  return { name, holds };
}

/** What is wrong with a move of a saga; undefined: nothing. */
export type Check<State> = (definition: SagaDefinition<State>, played: Played<State>) => string | undefined;

/** What must hold for every saga, by its name. */
export function checks<State>(): Readonly<Record<string, Check<State>>> {
  return {
    'a command id is sent once': sentOnce,
    'only what may have been done is undone, once': undoesWhatWasDone,
    'what comes later is undone first': undoesInReverse,
    'nothing is undone after the pivot': forwardAfterPivot,
    'a step is begun when those before it are done': beginsBehindWhatIsDone,
    'no step is begun once it has turned round': beginsNothingOnTheWayBack,
    'nothing happens after the end': restsAfterTheEnd,
    'it knows what was done': agreesWithTheWorld,
    'what has ended leaves nothing behind': leavesNothing,
    'locks are given back at the end': givesLocksBack,
    'the state is JSON': isJson,
    'its code can always go on': goesOn,
  };
}

function sentOnce<State>(_: SagaDefinition<State>, { before, after }: Played<State>): string | undefined {
  for (let at = before; at; at = at.from) {
    const twice = at.sent.find((id) => after.sent.includes(id));
    if (twice !== undefined) return `${twice} is sent twice`;
  }
  const once = new Set(after.sent);
  return once.size < after.sent.length ? `an id of ${after.sent.join(', ')} is sent twice` : undefined;
}

function undoesWhatWasDone<State>(
  _: SagaDefinition<State>,
  { before, actions, after }: Played<State>,
): string | undefined {
  for (const { path, attempt, direction } of actions.flatMap((each) => requestOf(each) ?? [])) {
    if (direction !== 'undo') continue;
    const effect = (after.from === before && before ? before.ledger[path] : undefined) ?? 'open';
    if (effect === 'undone') return `${path} is undone twice`;
    if (effect === 'nothing') return `${path} is undone, and was refused`;
    if (attempt > 1 && effect !== 'undoing')
      return `${path} is undone by attempt ${attempt}, and the first was not made`;
  }
  return undefined;
}

function undoesInReverse<State>(
  definition: SagaDefinition<State>,
  { before, after, actions }: Played<State>,
): string | undefined {
  for (const { path, attempt, direction } of actions.flatMap((each) => requestOf(each) ?? [])) {
    if (direction !== 'undo' || attempt > 1 || path === 'end') continue;
    for (const [other, effect] of Object.entries({ ...before?.ledger, ...after.ledger })) {
      if (other === path || other === 'end' || !comesAfter(definition, after, other, path)) continue;
      if (effect === 'undone' || effect === 'nothing' || effect === 'left') continue;
      if (stepAt(definition, other)?.undo) return `${path} is undone while ${other} is ${effect}`;
    }
  }
  return undefined;
}

/** In code, what was begun when it was known how something ended comes after that. */
function comesAfter<State>(
  definition: SagaDefinition<State>,
  state: ExploredState<State>,
  path: string,
  other: string,
): boolean {
  return codeOf(definition) ? beganBehind(state, path, other) : isAfter(definition, path, other);
}

function forwardAfterPivot<State>(
  definition: SagaDefinition<State>,
  { before, after, actions }: Played<State>,
): string | undefined {
  if (!before || !passedPivot(definition, before.instance)) return undefined;
  if (after.instance.failure) return `it turns round: ${after.instance.failure.reason}`;
  const undo = actions.flatMap((each) => requestOf(each) ?? []).find(({ direction }) => direction === 'undo');
  return undo && `${undo.path} is undone`;
}

function beginsNothingOnTheWayBack<State>(
  _: SagaDefinition<State>,
  { before, actions }: Played<State>,
): string | undefined {
  if (!before?.instance.run.back) return undefined;
  const begun = actions
    .flatMap((each) => requestOf(each) ?? [])
    .find(({ direction, path }) => direction === 'do' && path !== 'end');
  return begun && `${begun.path} is begun`;
}

function beginsBehindWhatIsDone<State>(
  definition: SagaDefinition<State>,
  { actions, after }: Played<State>,
): string | undefined {
  for (const { path, direction, attempt } of actions.flatMap((each) => requestOf(each) ?? [])) {
    if (direction === 'undo' || attempt > 1 || path === 'end') continue;
    for (const [other, effect] of Object.entries(after.ledger)) {
      if (other === 'end' || effect === 'done' || effect === 'left' || mayBeLost(definition, other, path)) continue;
      const meanwhile = effect === 'open' && !isAfter(definition, path, other);
      if (!meanwhile && beginsAfter(definition, path, other)) return `${path} is begun while ${other} is ${effect}`;
    }
  }
  return undefined;
}

function restsAfterTheEnd<State>(_: SagaDefinition<State>, { before, actions }: Played<State>): string | undefined {
  if (!before || !hasEnded(before.instance) || actions.length === 0) return undefined;
  return `it has ended, and there is a ${actions[0]!.kind}`;
}

/** Compares how far the saga thinks it is with what the world has seen. */
function agreesWithTheWorld<State>(definition: SagaDefinition<State>, { after }: Played<State>): string | undefined {
  for (const { path, run, node } of begunSteps(definition, after.instance)) {
    const effect = after.ledger[path];
    if (effect === undefined) return `'${node.name}' (${path}) is ${run.phase}, and nobody was asked`;
    if (run.phase === 'done' && effect !== 'done' && effect !== 'left')
      return `'${node.name}' (${path}) is done, and was ${effect}`;
    const undone = effect === 'nothing' || effect === 'undone' || effect === 'left';
    if (run.phase === 'undone' && node.undo && !undone) return `'${node.name}' (${path}) is undone, and was ${effect}`;
  }
  return undefined;
}

function leavesNothing<State>(definition: SagaDefinition<State>, { after }: Played<State>): string | undefined {
  const { instance } = after;
  if (!hasEnded(instance) || instance.status === 'aborted') return undefined;
  const back = instance.status === 'compensated';
  for (const { path, run, node } of begunSteps(definition, { ...instance, farewell: undefined } as typeof instance)) {
    if (run.phase !== 'undone' && (back || run.phase !== 'done')) {
      return `it is ${instance.status}, and '${node.name}' (${path}) is ${run.phase}`;
    }
  }
  return undefined;
}

function givesLocksBack<State>(_: SagaDefinition<State>, { after }: Played<State>): string | undefined {
  if (!hasEnded(after.instance)) return undefined;
  // One that was refused has not been locked.
  const kept = Object.entries(after.locks).filter(([path]) => after.ledger[path] !== 'nothing');
  return kept.length === 0 ? undefined : `${kept.map(([, key]) => `'${key}'`).join(', ')} stays locked`;
}

function isJson<State>(_: SagaDefinition<State>, { after }: Played<State>): string | undefined {
  return notJson(after.instance.state);
}

function goesOn<State>(_: SagaDefinition<State>, { after }: Played<State>): string | undefined {
  const [run] = after.instance.run.runs;
  return run && 'halt' in run ? run.halt : undefined;
}

/** What the inventory of an instance is, without what is only remembered. */
export function sameCourse<State>(
  one: ExploredState<State>['instance'],
  other: ExploredState<State>['instance'],
): boolean {
  const course = ({ history: _h, updatedAt: _u, ...rest }: typeof one) => rest;
  return isDeepStrictEqual(course(one), course(other));
}
