import { codeOf } from '../definition.js';
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
    if (node.kind === 'code') {
      const made = node.nodes?.[Number(parts[at + 1])];
      return made?.kind === 'step' ? made : undefined;
    }
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

/** Whether a branch of a step may be lost without the saga turning round, for another step that comes behind its node. */
export function mayBeLost<State>({ body }: SagaDefinition<State>, path: string, behind: string): boolean {
  const parts = path.split('.');
  const others = behind.split('.');
  let block: Block<State> = body;
  let inside = true;
  for (let at = 0; at < parts.length; at += 2) {
    const node = block[Number(parts[at])];
    if (!node || node.kind === 'step') return false;
    inside &&= parts[at] === others[at] && parts[at + 1] === others[at + 1];
    if (node.kind === 'parallel' && node.join < node.branches.size && !inside) return true;
    if (node.kind === 'each') block = node.body;
    else if (node.kind === 'choice' || node.kind === 'parallel') block = node.branches.get(parts[at + 1]!)!;
  }
  return false;
}

/** As {@link isAfter}, also for items that are worked on at the same time: the next one is begun behind the ones before. */
export function beginsAfter<State>(definition: SagaDefinition<State>, path: string, other: string): boolean {
  if (isAfter(definition, path, other)) return true;
  // What code begins together goes on together.
  if (codeOf(definition)) return false;
  const parts = path.split('.');
  const others = other.split('.');
  const at = parts.findIndex((part, index) => part !== others[index]);
  return at % 2 === 1 && Number(parts[at]) > Number(others[at]);
}
