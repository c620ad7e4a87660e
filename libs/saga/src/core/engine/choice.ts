import { NonRetryableError } from '@millrace/broker';
import type { Block, ChoiceNode } from '../definition.js';
import type { ChoiceRun, SequenceRun } from '../run.js';
import { inside } from './place.js';
import type { Place } from './place.js';
import type { Signal } from './signal.js';
import type { Behaviour, Turn } from './turn.js';

/** One of several blocks, chosen once, when the saga comes here. */
export function choiceBehaviour<State>(): Behaviour<State, ChoiceNode<State>, ChoiceRun> {
  return { enter, feel, undo, stop };
}

/** @throws NonRetryableError when the branch that was chosen does not exist */
function enter<State>(turn: Turn<State>, node: ChoiceNode<State>, place: Place): ChoiceRun {
  const branch = node.choose(turn.state, place.item);
  if (!node.branches.has(branch)) {
    throw new NonRetryableError(
      `choice '${node.name}' of saga '${turn.definition.name}' answers ${JSON.stringify(branch)}: ` +
        `its branches are ${[...node.branches.keys()].join(', ')}`,
    );
  }
  const body = turn.engine.blocks.enter(turn, blockOf(node, branch), inside(place, branch));
  return { phase: body.phase, branch, body };
}

function feel<State>(
  turn: Turn<State>,
  node: ChoiceNode<State>,
  run: ChoiceRun,
  place: Place,
  signal: Signal,
  [branch, ...to]: readonly string[],
): ChoiceRun {
  if (branch !== undefined && branch !== run.branch) {
    turn.ignore(`the saga has chosen '${run.branch}'`);
    return run;
  }
  return become(run, (block, at) => turn.engine.blocks.feel(turn, block, run.body, at, signal, to), node, place);
}

function undo<State>(turn: Turn<State>, node: ChoiceNode<State>, run: ChoiceRun, place: Place): ChoiceRun {
  return become(run, (block, at) => turn.engine.blocks.undo(turn, block, run.body, at), node, place);
}

function stop<State>(turn: Turn<State>, node: ChoiceNode<State>, run: ChoiceRun, place: Place): ChoiceRun {
  return become(run, (block, at) => turn.engine.blocks.stop(turn, block, run.body, at), node, place);
}

function become<State>(
  run: ChoiceRun,
  move: (block: Block<State>, at: Place) => SequenceRun,
  node: ChoiceNode<State>,
  place: Place,
): ChoiceRun {
  const body = move(blockOf(node, run.branch), inside(place, run.branch));
  return body === run.body ? run : { phase: body.phase, branch: run.branch, body };
}

function blockOf<State>(node: ChoiceNode<State>, branch: string): Block<State> {
  return node.branches.get(branch)!;
}
