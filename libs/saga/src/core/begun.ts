import type { Block, SagaDefinition, SagaNode } from './definition.js';
import { inside, ROOT } from './engine/place.js';
import type { Place } from './engine/place.js';
import { isHalted } from './run.js';
import type { Op, Run, SequenceRun } from './run.js';

/** Something that an instance has come to and that consists of nothing else: a step, a wait, a sleep, a pivot. */
export interface Begun<State> extends Place {
  readonly name: string;
  readonly run: Run;
  /** Undefined where code has begun it and the definition does not have the nodes of the instance. */
  readonly node: SagaNode<State> | undefined;
  /** What code has begun. */
  readonly op: Op | undefined;
}

/**
 * All that an instance has come to, in the order of its definition. Code that cannot go on is there, too, before what it has
 * begun.
 *
 * @param enters which runs are looked into: most of a long list may be over
 */
export function begun<State>(
  { body }: Pick<SagaDefinition<State>, 'body'>,
  run: SequenceRun,
  enters: (run: Run) => boolean = () => true,
): readonly Begun<State>[] {
  const found: Begun<State>[] = [];
  const inBlock = (block: Block<State>, { runs }: SequenceRun, place: Place): void => {
    for (const [at, each] of runs.entries()) if (enters(each)) inNode(block[at]!, each, inside(place, at));
  };
  const inNode = (node: SagaNode<State>, each: Run, place: Place, op?: Op): void => {
    if (node.kind === 'choice' && 'body' in each) {
      inBlock(node.branches.get(each.branch)!, each.body, inside(place, each.branch));
    } else if (node.kind === 'parallel' && 'branches' in each) {
      for (const [name, branch] of Object.entries(each.branches)) {
        inBlock(node.branches.get(name)!, branch, inside(place, name));
      }
    } else if (node.kind === 'each' && 'bodies' in each) {
      for (const [at, body] of each.bodies.entries()) {
        inBlock(node.body, body, { ...inside(place, at), item: each.items[at] });
      }
    } else if (node.kind === 'code' && 'ops' in each) {
      if (isHalted(each)) found.push({ ...place, name: node.name, run: each, node, op });
      for (const [at, part] of each.runs.entries()) {
        if (!enters(part)) continue;
        const made = node.nodes?.[at];
        const own = each.ops[at]!;
        if (made) inNode(made, part, inside(place, at), own);
        else found.push({ ...inside(place, at), name: own.name, run: part, node: undefined, op: own });
      }
    } else found.push({ ...place, name: node.name, run: each, node, op });
  };
  inBlock(body, run, ROOT);
  return found;
}
