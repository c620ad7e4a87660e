import { nodesOf } from '../definition.js';
import type { Block, SagaNode } from '../definition.js';
import type { Chart } from './chart.js';
import { END } from './chart.js';

/** Where a way goes on from: a state, and what the next edge says. */
export interface Exit {
  readonly from: string;
  readonly label?: string;
}

/**
 * Draws how what a node has done is undone, step by step and in reverse order.
 *
 * @param exits where the way back comes from
 * @returns where it goes on; the same when there is nothing to undo
 */
export function drawUndo<State>(chart: Chart, node: SagaNode<State>, exits: readonly Exit[]): readonly Exit[] {
  if (!canBeUndone(node)) return exits;
  switch (node.kind) {
    case 'parallel': {
      const branches = [...node.branches].filter(([, block]) => block.some(canBeUndone));
      return through(chart, exits, boxed(chart, node.name, branches));
    }
    case 'each':
      return through(chart, exits, boxed(chart, node.name, [['for each that was begun', node.body]]));
    case 'choice': {
      const [choice] = through(chart, exits, chart.choice());
      return [...node.branches].flatMap(([name, block]) => backThrough(chart, block, [{ ...choice!, label: name }]));
    }
    default:
      return through(chart, exits, chart.state(`undo ${node.name}`));
  }
}

/** Whether there is something to undo in a node, besides locks, which are given back anyway. */
export function canBeUndone<State>(node: SagaNode<State>): boolean {
  if (node.kind === 'code') return true;
  return nodesOf([node]).some(
    (each) => each.kind === 'step' && each.undo !== undefined && each.undo.act.kind !== 'unlock',
  );
}

function backThrough<State>(chart: Chart, block: Block<State>, exits: readonly Exit[]): readonly Exit[] {
  return block.reduceRight((way, node) => drawUndo(chart, node, way), exits);
}

function boxed<State>(chart: Chart, name: string, parts: readonly (readonly [string, Block<State>])[]): string {
  const drawn = parts.map(([label, block]) => () => {
    for (const { from } of backThrough(chart, block, [{ from: END, label }])) chart.edge(from, END);
  });
  return chart.composite(`undo ${name}`, drawn);
}

function through(chart: Chart, exits: readonly Exit[], id: string): readonly [Exit] {
  for (const { from, label } of exits) chart.edge(from, id, label);
  return [{ from: id }];
}
