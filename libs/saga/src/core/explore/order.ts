import type { Block, SagaDefinition, StepNode } from '../definition.js';

/** Whether a step, named by its path, comes after another one; not if they go on at the same time. */
export function isAfter<State>({ body }: SagaDefinition<State>, path: string, other: string): boolean {
  return afterIn(body, path.split('.'), other.split('.'));
}

/** The step at a path. */
export function stepAt<State>({ body }: SagaDefinition<State>, path: string): StepNode<State> | undefined {
  let block: Block<State> = body;
  const parts = path.split('.');
  for (let at = 0; at < parts.length; at += 2) {
    const node = block[Number(parts[at])];
    if (!node) return undefined;
    if (node.kind === 'step') return node;
    if (node.kind === 'each') block = node.body;
    else if (node.kind === 'choice' || node.kind === 'parallel') block = node.branches.get(parts[at + 1]!)!;
  }
  return undefined;
}

function afterIn<State>(block: Block<State>, path: readonly string[], other: readonly string[]): boolean {
  const [index, part] = path;
  const [otherIndex, otherPart] = other;
  if (index !== otherIndex) return Number(index) > Number(otherIndex);
  const node = block[Number(index)];
  if (!node || node.kind === 'step') return false;
  if (node.kind === 'each') {
    if (part === otherPart) return afterIn(node.body, path.slice(2), other.slice(2));
    return node.atOnce === 1 && Number(part) > Number(otherPart);
  }
  if (part !== otherPart || !('branches' in node)) return false;
  return afterIn(node.branches.get(part!)!, path.slice(2), other.slice(2));
}
