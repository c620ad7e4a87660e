import type { SagaNode } from '../definition.js';
import type { Run } from '../run.js';
import { choiceBehaviour } from './choice.js';
import { codeBehaviour } from './code.js';
import { eachBehaviour } from './each.js';
import type { Behaviour, Engine } from './turn.js';
import { forkBehaviour } from './fork.js';
import { sleepBehaviour, waitBehaviour } from './pause.js';
import { sequenceBehaviour } from './sequence.js';
import { stepBehaviour } from './step.js';

/** The engine: for each kind of node how it behaves. Without a state of its own, so one is enough. */
export function engine<State>(): Engine<State> {
  return ENGINE as unknown as Engine<State>;
}

type Any = Behaviour<unknown, SagaNode<unknown>, Run>;

const pivot: Any = {
  enter: () => ({ phase: 'done' }),
  feel: (_turn, _node, run) => run,
  undo: () => ({ phase: 'undone' }),
  stop: () => ({ phase: 'undone' }),
};

const KINDS: Readonly<Record<SagaNode<unknown>['kind'], Any>> = {
  step: stepBehaviour() as unknown as Any,
  choice: choiceBehaviour() as unknown as Any,
  parallel: forkBehaviour() as unknown as Any,
  each: eachBehaviour() as unknown as Any,
  sleep: sleepBehaviour() as unknown as Any,
  wait: waitBehaviour() as unknown as Any,
  pivot,
  code: codeBehaviour() as unknown as Any,
};

const ENGINE: Engine<unknown> = {
  enter: (turn, node, place) => KINDS[node.kind].enter(turn, node, place),
  feel: (turn, node, run, place, signal, to) => KINDS[node.kind].feel(turn, node, run, place, signal, to),
  undo: (turn, node, run, place) => KINDS[node.kind].undo(turn, node, run, place),
  stop: (turn, node, run, place) => KINDS[node.kind].stop(turn, node, run, place),
  blocks: sequenceBehaviour(),
};
