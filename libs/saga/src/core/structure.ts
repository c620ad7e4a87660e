import { createHash } from 'node:crypto';
import { contractOf } from '@millrace/messages';
import { codeOf } from './definition.js';
import type { Block, SagaDefinition, SagaNode } from './definition.js';

/**
 * Digest of what an instance depends on while it is under way: which nodes there are, in which order, with which branches and
 * replies. How messages and states are made, deadlines and retries may change.
 */
export function structureHash<State>({
  start,
  body,
  version,
}: Pick<SagaDefinition<State>, 'start' | 'body' | 'version'>): string {
  // What code does is known only when it runs: its version is what is declared.
  if (codeOf({ body })) return `code-${version}`;
  const structure = [start.on ? contractOf(start.on).type : 'call', ...block(body)];
  return createHash('sha256').update(JSON.stringify(structure)).digest('hex').slice(0, 12);
}

function block<State>(nodes: Block<State>): unknown[] {
  return nodes.map(describe);
}

function describe<State>(node: SagaNode<State>): unknown {
  switch (node.kind) {
    case 'step':
      return [
        node.kind,
        node.name,
        node.do.act.kind,
        [...node.replies.keys()].sort(),
        node.undo !== undefined,
        node.untilDone,
      ];
    case 'choice':
      return [node.kind, node.name, branches(node.branches)];
    case 'parallel':
      return [node.kind, node.name, node.join, branches(node.branches)];
    case 'each':
      return [node.kind, node.name, node.atOnce, block(node.body)];
    case 'wait':
      return [node.kind, node.name, contractOf(node.event).type];
    default:
      return [node.kind, node.name];
  }
}

function branches<State>(all: ReadonlyMap<string, Block<State>>): unknown[] {
  return [...all].map(([name, nodes]) => [name, block(nodes)]);
}
