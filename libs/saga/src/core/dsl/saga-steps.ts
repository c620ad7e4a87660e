import type { ForwardNodes, Nodes } from './block.js';
import type { UnnamedSaga } from './unnamed-saga.js';

/** A saga before its pivot: its steps can be undone. */
export interface SagaSteps<State, Input extends object = object>
  extends Nodes<State, undefined>, UnnamedSaga<State, Input> {
  /** From here the saga only goes forward: no refusals, no compensation. */
  pivot(): ForwardSteps<State, Input>;
}

/** A saga after its pivot. */
export interface ForwardSteps<State, Input extends object = object>
  extends ForwardNodes<State, undefined>, UnnamedSaga<State, Input> {}
