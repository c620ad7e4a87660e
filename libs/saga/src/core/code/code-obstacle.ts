import { codeOf } from '../definition.js';
import type { SagaDefinition } from '../definition.js';
import { differs } from '../engine/code.js';
import type { SagaInstance } from '../instance.js';
import { isHalted } from '../run.js';
import type { CodeRun } from '../run.js';
import type { CodeState } from './code-state.js';
import { playerOf } from './player-of.js';

/**
 * Why code does not go on where an instance stands: told what the instance was told, it begins something else. Undefined: it does,
 * or the saga is no code.
 */
export async function codeObstacle<State>(
  definition: SagaDefinition<State>,
  instance: SagaInstance,
): Promise<string | undefined> {
  const node = codeOf(definition);
  const run = instance.run.runs[0] as CodeRun | undefined;
  if (!node || !run) return undefined;
  const course = await playerOf(node).play(run, instance.state as CodeState, instance);
  // Code that could not go on has left off in the midst: what it begins now is new, and needs to stand in no journal.
  const isMended = isHalted(run) && course.kind !== 'halted';
  return differs(course, isMended ? { ...run, back: true } : run);
}
