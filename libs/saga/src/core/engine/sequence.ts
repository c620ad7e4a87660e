import type { Block } from '../definition.js';
import { isForward, isOpen } from '../run.js';
import type { Run, SequenceRun } from '../run.js';
import { inside } from './place.js';
import type { Place } from './place.js';
import type { Signal } from './signal.js';
import type { Behaviour, Turn } from './turn.js';

/** Nodes one after the other; back, in strictly reverse order. */
export function sequenceBehaviour<State>(): Behaviour<State, Block<State>, SequenceRun> {
  return { enter, feel, undo, stop };
}

function enter<State>(turn: Turn<State>, block: Block<State>, place: Place): SequenceRun {
  return settle(turn, block, [], place, false);
}

function feel<State>(
  turn: Turn<State>,
  block: Block<State>,
  run: SequenceRun,
  place: Place,
  signal: Signal,
  [index, ...to]: readonly string[],
): SequenceRun {
  const at = index === undefined ? openIndex(run.runs) : Number(index);
  const part = run.runs[at];
  if (part === undefined) {
    if (index !== undefined) turn.ignore('the saga has not come there');
    return run;
  }
  const felt = turn.engine.feel(turn, block[at]!, part, inside(place, at), signal, to);
  if (felt === part) return run;
  return settle(turn, block, run.runs.with(at, felt), place, run.back ?? false);
}

function undo<State>(turn: Turn<State>, block: Block<State>, run: SequenceRun, place: Place): SequenceRun {
  return settle(turn, block, run.runs, place, true);
}

function stop<State>(turn: Turn<State>, block: Block<State>, run: SequenceRun, place: Place): SequenceRun {
  return run.back ? run : settle(turn, block, run.runs, place, true);
}

/** Goes on as far as that goes by itself, forward or back. */
function settle<State>(
  turn: Turn<State>,
  block: Block<State>,
  before: readonly Run[],
  place: Place,
  turned: boolean,
): SequenceRun {
  const { engine } = turn;
  let runs = before;
  let back = turned;
  for (;;) {
    const at = back ? runs.findLastIndex(({ phase }) => phase !== 'undone') : runs.length - 1;
    const run = runs[at];
    if (back) {
      if (!run) return { phase: 'undone', back, runs };
      const node = block[at]!;
      if (run.phase === 'done') runs = runs.with(at, engine.undo(turn, node, run, inside(place, at)));
      else if (isForward(run)) {
        const stopped = engine.stop(turn, node, run, inside(place, at));
        runs = runs.with(at, stopped);
        if (isForward(stopped)) return { phase: 'undoing', back, runs };
      } else return { phase: run.phase === 'stuck' ? 'stuck' : 'undoing', back, runs };
    } else if (!run || run.phase === 'done') {
      const node = block[runs.length];
      if (!node) return { phase: 'done', runs };
      runs = [...runs, engine.enter(turn, node, inside(place, runs.length))];
    } else if (isForward(run)) return { phase: run.phase, runs };
    else back = true;
  }
}

function openIndex(runs: readonly Run[]): number {
  return runs.findLastIndex(isOpen);
}
