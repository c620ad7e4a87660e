import type { Block, SagaDefinition, SagaNode } from '../definition.js';
import type { Run, SequenceRun } from '../run.js';

/** The keys that an instance has locked and not given back. */
export function locksIn<State>({ body }: SagaDefinition<State>, run: SequenceRun): readonly string[] {
  return [...new Set(inBlock(body, run))];
}

function inBlock<State>(block: Block<State>, { runs }: SequenceRun): string[] {
  return runs.flatMap((run, at) => inNode(block[at]!, run));
}

function inNode<State>(node: SagaNode<State>, run: Run): string[] {
  if (node.kind === 'step') {
    if (node.do.act.kind !== 'lock' || !('attempt' in run) || run.phase === 'undone') return [];
    return run.key === undefined ? [] : [run.key];
  }
  if (node.kind === 'code' && 'ops' in run) {
    return run.runs.flatMap((part, at) =>
      run.ops[at]!.kind === 'lock' && 'key' in part && part.phase !== 'undone' && part.key !== undefined
        ? [part.key]
        : [],
    );
  }
  if (node.kind === 'choice' && 'body' in run) return inBlock(node.branches.get(run.branch)!, run.body);
  if (node.kind === 'parallel' && 'branches' in run) {
    return Object.entries(run.branches).flatMap(([name, branch]) => inBlock(node.branches.get(name)!, branch));
  }
  return node.kind === 'each' && 'bodies' in run ? run.bodies.flatMap((body) => inBlock(node.body, body)) : [];
}
