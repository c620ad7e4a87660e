import type { ParallelNode } from '../definition.js';
import { isForward, isOpen } from '../run.js';
import type { ForkRun, Phase, SequenceRun } from '../run.js';
import { inside } from './place.js';
import type { Place } from './place.js';
import type { Signal } from './signal.js';
import type { Behaviour, Turn } from './turn.js';

/**
 * Several blocks at the same time. Done when as many are done as it asks for, and the others undone; turned round when so many
 * cannot be done any more. Branches are undone at the same time, each in its own reverse order.
 */
export function forkBehaviour<State>(): Behaviour<State, ParallelNode<State>, ForkRun> {
  return { enter, feel, undo, stop };
}

type Branches = Readonly<Record<string, SequenceRun>>;

function enter<State>(turn: Turn<State>, node: ParallelNode<State>, place: Place): ForkRun {
  const branches: Record<string, SequenceRun> = {};
  for (const [name, block] of node.branches)
    branches[name] = turn.engine.blocks.enter(turn, block, inside(place, name));
  return settle(turn, node, branches, place, { turned: false });
}

function feel<State>(
  turn: Turn<State>,
  node: ParallelNode<State>,
  run: ForkRun,
  place: Place,
  signal: Signal,
  [name, ...to]: readonly string[],
): ForkRun {
  if (name !== undefined && !Object.hasOwn(run.branches, name)) {
    turn.ignore(`'${node.name}' has no branch '${name}'`);
    return run;
  }
  let { branches } = run;
  for (const [branch, before] of Object.entries(run.branches)) {
    if (name === undefined ? !isOpen(before) || turn.taken : name !== branch) continue;
    const block = node.branches.get(branch)!;
    const felt = turn.engine.blocks.feel(turn, block, before, inside(place, branch), signal, to);
    if (felt !== before) branches = { ...branches, [branch]: felt };
  }
  if (branches === run.branches) return run;
  return settle(turn, node, branches, place, { turned: run.back ?? false, winners: run.winners });
}

function undo<State>(turn: Turn<State>, node: ParallelNode<State>, run: ForkRun, place: Place): ForkRun {
  return settle(turn, node, run.branches, place, { turned: true });
}

function stop<State>(turn: Turn<State>, node: ParallelNode<State>, run: ForkRun, place: Place): ForkRun {
  return run.back ? run : settle(turn, node, run.branches, place, { turned: true });
}

function settle<State>(
  turn: Turn<State>,
  node: ParallelNode<State>,
  branches: Branches,
  place: Place,
  { turned, winners }: { readonly turned: boolean; readonly winners?: readonly string[] | undefined },
): ForkRun {
  const done = Object.keys(branches).filter((name) => branches[name]!.phase === 'done');
  const possible = Object.values(branches).filter((run) => run.phase === 'done' || isForward(run)).length;
  if (turned || (!winners && possible < node.join)) {
    const back = takeBack(turn, node, branches, place, []);
    return { phase: phaseOf(back, 'undone'), back: true, branches: back };
  }
  const chosen = winners ?? (done.length >= node.join ? done : undefined);
  if (!chosen)
    return {
      phase: Object.values(branches).some(({ phase }) => phase === 'doing')
        ? 'doing'
        : phaseOf(branches, 'doing', 'doing'),
      branches,
    };
  if (!winners) join(turn, node, place, chosen);
  const others = takeBack(turn, node, branches, place, chosen);
  return { phase: phaseOf(others, 'done', 'doing'), branches: others, winners: chosen };
}

function join<State>(turn: Turn<State>, node: ParallelNode<State>, place: Place, done: readonly string[]): void {
  const change = node.joined && turn.become(node.joined(turn.state, done));
  if (change) turn.note(node.name, place, 'do', 'done', { change });
}

/** Undoes all branches but these. */
function takeBack<State>(
  turn: Turn<State>,
  node: ParallelNode<State>,
  branches: Branches,
  place: Place,
  kept: readonly string[],
): Branches {
  const { blocks } = turn.engine;
  const entries = Object.entries(branches).map(([name, run]): [string, SequenceRun] => {
    if (kept.includes(name)) return [name, run];
    const block = node.branches.get(name)!;
    if (run.phase === 'done') return [name, blocks.undo(turn, block, run, inside(place, name))];
    return [name, isForward(run) ? blocks.stop(turn, block, run, inside(place, name)) : run];
  });
  return Object.fromEntries(entries);
}

/** What the whole is when nothing of it is open any more, and until then. */
function phaseOf(branches: Branches, settled: Phase, moving: Phase = 'undoing'): Phase {
  const open = Object.values(branches).filter(isOpen);
  if (open.length === 0) return settled;
  return open.every(({ phase }) => phase === 'stuck') ? 'stuck' : moving;
}
