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
  enters: Enters = always,
): readonly Begun<State>[] {
  const found: Begun<State>[] = [];
  walkBlock(body, run, ROOT, enters, ({ path, item }, name, each, node, op) => {
    found.push({ path, item, name, run: each, node, op });
  });
  return found;
}

/** As {@link begun}, for who needs only names and runs. */
export function visitBegun<State>(
  { body }: Pick<SagaDefinition<State>, 'body'>,
  run: SequenceRun,
  enters: Enters,
  visit: (name: string, run: Run) => void,
): void {
  walkBlock(body, run, ROOT, enters, (_place, name, each) => visit(name, each));
}

type Enters = (run: Run) => boolean;

type Visit<State> = (
  place: Place,
  name: string,
  run: Run,
  node: SagaNode<State> | undefined,
  op: Op | undefined,
) => void;

const always: Enters = () => true;

function walkBlock<State>(
  block: Block<State>,
  { runs }: SequenceRun,
  place: Place,
  enters: Enters,
  visit: Visit<State>,
): void {
  for (let at = 0; at < runs.length; at++) {
    const run = runs[at]!;
    if (enters(run)) walkNode(block[at]!, run, inside(place, at), enters, visit);
  }
}

function walkNode<State>(
  node: SagaNode<State>,
  run: Run,
  place: Place,
  enters: Enters,
  visit: Visit<State>,
  op?: Op,
): void {
  if (node.kind === 'choice' && 'body' in run) {
    walkBlock(node.branches.get(run.branch)!, run.body, inside(place, run.branch), enters, visit);
  } else if (node.kind === 'parallel' && 'branches' in run) {
    for (const [name, branch] of Object.entries(run.branches)) {
      walkBlock(node.branches.get(name)!, branch, inside(place, name), enters, visit);
    }
  } else if (node.kind === 'each' && 'bodies' in run) {
    for (const [at, body] of run.bodies.entries()) {
      walkBlock(node.body, body, { ...inside(place, at), item: run.items[at] }, enters, visit);
    }
  } else if (node.kind === 'code' && 'ops' in run) {
    if (isHalted(run)) visit(place, node.name, run, node, op);
    for (const [at, part] of run.runs.entries()) {
      if (!enters(part)) continue;
      const made = node.nodes?.[at];
      const own = run.ops[at]!;
      if (made) walkNode(made, part, inside(place, at), enters, visit, own);
      else visit(inside(place, at), own.name, part, undefined, own);
    }
  } else visit(place, node.name, run, node, op);
}
