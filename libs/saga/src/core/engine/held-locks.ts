import { begun } from '../begun.js';
import type { SagaDefinition } from '../definition.js';
import type { SequenceRun } from '../run.js';

/** The keys that an instance has locked and not given back. */
export function locksIn<State>(definition: SagaDefinition<State>, run: SequenceRun): readonly string[] {
  const keys = begun(definition, run).flatMap(({ node, op, run: held }) => {
    const isLock = op?.kind === 'lock' || (node?.kind === 'step' && node.do.act.kind === 'lock');
    return isLock && 'key' in held && held.phase !== 'undone' && held.key !== undefined ? [held.key] : [];
  });
  return [...new Set(keys)];
}
