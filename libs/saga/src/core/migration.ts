import type { Block, SagaDefinition, SagaNode } from './definition.js';
import { ROOT } from './engine/place.js';
import { engine } from './engine/nodes.js';
import { pageOut } from './engine/history-pages.js';
import { Turn } from './engine/turn.js';
import { hasEnded } from './instance.js';
import type { SagaInstance } from './instance.js';
import type { Run, SequenceRun } from './run.js';
import type { SagaAction } from './transition.js';

/** How instances of one version of a saga go on with another one. */
export interface Move<Old = unknown, New = unknown> {
  /** The state that they go on with. Default: the one that they have; in code, with its answers under their new names. */
  readonly state?: ((old: Old) => New) | undefined;
  /** What a step that they have begun is called in the other version. Default: the same. */
  readonly at?: ((step: string) => string) | undefined;
}

/** Who moves instances, why, and when. */
export interface Mover {
  readonly by: string;
  readonly why: string;
  readonly now: number;
}

export type Migration =
  | { readonly outcome: 'migrated'; readonly instance: SagaInstance; readonly actions: readonly SagaAction[] }
  | { readonly outcome: 'refused'; readonly reason: string };

/**
 * Lets an instance go on with another version of its definition. What it has begun has to stand at the same places there: the
 * ids of its commands, of its children and of its effects say where their steps stand. Pure.
 */
export function migrate(
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- of any state
  from: SagaDefinition<any>,
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- of any state
  to: SagaDefinition<any>,
  instance: SagaInstance,
  { at = (step) => step, state = (old) => renamedAnswers(instance, old, at) }: Move,
  { by, why, now }: Mover,
): Migration {
  if (hasEnded(instance)) return refuse(`it is ${instance.status}`);
  if (instance.farewell) return refuse('its last command is on its way');
  const obstacle = inBlock(from.body, to.body, instance.run, at);
  if (obstacle !== undefined) return refuse(obstacle);
  const turn = new Turn(to, instance, engine<unknown>(), now);
  const change = turn.become(state(instance.state));
  turn.note('saga', ROOT, 'do', 'migrated', { by, why, ...(change ? { change } : {}) });
  const { parked } = instance;
  const moved: SagaInstance = {
    ...instance,
    version: to.version,
    hash: to.hash,
    state: turn.state,
    run: renamedOps(instance.run, at),
    ...(parked ? { parked: parked.map((each) => ({ ...each, step: at(each.step) })) } : {}),
    history: turn.history,
    updatedAt: now,
  };
  return { outcome: 'migrated', instance: pageOut(turn, moved), actions: turn.actions };
}

type At = (step: string) => string;

function refuse(reason: string): Migration {
  return { outcome: 'refused', reason };
}

/** Why what has been begun of a block does not stand in another one; undefined: it does. */
function inBlock<Old, New>(old: Block<Old>, other: Block<New>, { runs }: SequenceRun, at: At): string | undefined {
  return first(runs, (run, index) => inNode(old[index]!, other[index], run, at));
}

function inNode<Old, New>(old: SagaNode<Old>, other: SagaNode<New> | undefined, run: Run, at: At): string | undefined {
  const name = at(old.name);
  if (other?.name !== name) {
    return `it has begun '${name}', where the new version has ${other ? `'${other.name}'` : 'nothing'}`;
  }
  if (shapeOf(old) !== shapeOf(other))
    return `'${name}', which it has begun, is another kind of step in the new version`;
  if (old.kind === 'choice' && other.kind === 'choice' && 'body' in run) {
    const branch = other.branches.get(run.branch);
    if (!branch) return `it is in branch '${run.branch}' of '${name}', which the new version does not have`;
    return inBlock(old.branches.get(run.branch)!, branch, run.body, at);
  }
  if (old.kind === 'parallel' && other.kind === 'parallel' && 'branches' in run) {
    const [before, after] = [[...old.branches.keys()], [...other.branches.keys()]];
    if (String(before.toSorted()) !== String(after.toSorted())) {
      return `it has begun '${name}', which has other branches in the new version`;
    }
    return first(Object.entries(run.branches), ([branch, body]) =>
      inBlock(old.branches.get(branch)!, other.branches.get(branch)!, body, at),
    );
  }
  if (old.kind !== 'each' || other.kind !== 'each' || !('bodies' in run)) return undefined;
  return first(run.bodies, (body) => inBlock(old.body, other.body, body, at));
}

/** In code the operations have their names in the journal. */
function renamedOps(run: SequenceRun, at: At): SequenceRun {
  const [code] = run.runs;
  if (!code || !('ops' in code)) return run;
  return { ...run, runs: [{ ...code, ops: code.ops.map((op) => ({ ...op, name: at(op.name) })) }] };
}

/** And what they have answered in the state. */
function renamedAnswers({ run }: SagaInstance, state: unknown, at: At): unknown {
  const [code] = run.runs;
  if (!code || !('ops' in code)) return state;
  const names = new Map(code.ops.map(({ name }) => [name, at(name)]));
  const entries = Object.entries(state as object);
  return Object.fromEntries(entries.map(([name, value]) => [names.get(name) ?? name, value as unknown]));
}

/** What a run of a node depends on. */
function shapeOf<State>(node: SagaNode<State>): string {
  if (node.kind === 'parallel') return `parallel ${node.join}`;
  if (node.kind !== 'step') return node.kind;
  return `step ${node.do.act.kind} ${node.undo?.act.kind ?? 'never undone'} ${node.untilDone}`;
}

function first<T>(all: readonly T[], obstacle: (each: T, index: number) => string | undefined): string | undefined {
  for (const [index, each] of all.entries()) {
    const found = obstacle(each, index);
    if (found !== undefined) return found;
  }
  return undefined;
}
