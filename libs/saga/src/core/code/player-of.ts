import type { CodeNode } from '../definition.js';
import { CodeOperations } from './code-operations.js';
import type { CodeState } from './code-state.js';
import { Player } from './player.js';

/** Who runs the code of one instance for one decision. */
export function playerOf<State>(node: CodeNode<State>): Player {
  return new Player(node as unknown as CodeNode<CodeState>, (player, owner) => new CodeOperations(player, owner));
}
