import type { Block, Plan, SagaDefinition, SagaNode } from '../definition.js';

/** The same saga with fewer attempts: a policy of ten attempts goes nowhere that one of two does not. */
export function bounded<State>(definition: SagaDefinition<State>, attempts: number): SagaDefinition<State> {
  return { ...definition, body: inBlock(definition.body, attempts) };
}

function inBlock<State>(block: Block<State>, attempts: number): Block<State> {
  return block.map((node) => boundedNode(node, attempts));
}

/** Of code, the nodes that it makes are bounded one by one. */
export function boundedNode<State>(node: SagaNode<State>, attempts: number): SagaNode<State> {
  switch (node.kind) {
    case 'step':
      return { ...node, do: plan(node.do, attempts), undo: node.undo && plan(node.undo, attempts) };
    case 'choice':
    case 'parallel':
      return {
        ...node,
        branches: new Map([...node.branches].map(([name, block]) => [name, inBlock(block, attempts)])),
      };
    case 'each':
      return { ...node, body: inBlock(node.body, attempts) };
    default:
      return node;
  }
}

/** What is never given up stays so; how often it fails is bounded by what the world does. */
function plan<State>(of: Plan<State>, attempts: number): Plan<State> {
  const { retry } = of;
  return retry.attempts === Infinity
    ? of
    : { ...of, retry: { ...retry, attempts: Math.min(retry.attempts, attempts) } };
}
