import type { EachNode } from '../definition.js';
import { isForward, isOpen } from '../run.js';
import type { EachRun, SequenceRun } from '../run.js';
import { inside } from './place.js';
import type { Place } from './place.js';
import type { Signal } from './signal.js';
import type { Behaviour, Turn } from './turn.js';

/** A block for each item of a list, so many at once. Undone from the last item to the first, as many at once. */
export function eachBehaviour<State>(): Behaviour<State, EachNode<State>, EachRun> {
  return { enter, feel, undo, stop };
}

function enter<State>(turn: Turn<State>, node: EachNode<State>, place: Place): EachRun {
  return settle(turn, node, [...node.items(turn.state, place.item)], [], place, false);
}

function feel<State>(
  turn: Turn<State>,
  node: EachNode<State>,
  run: EachRun,
  place: Place,
  signal: Signal,
  [index, ...to]: readonly string[],
): EachRun {
  if (index !== undefined && !run.bodies[Number(index)]) {
    turn.ignore('the saga has not come there');
    return run;
  }
  let { bodies } = run;
  for (const [at, before] of run.bodies.entries()) {
    if (index === undefined ? !isOpen(before) || turn.taken : Number(index) !== at) continue;
    const felt = turn.engine.blocks.feel(turn, node.body, before, itemAt(run.items, at, place), signal, to);
    if (felt !== before) bodies = bodies.with(at, felt);
  }
  return bodies === run.bodies ? run : settle(turn, node, run.items, bodies, place, run.back ?? false);
}

function undo<State>(turn: Turn<State>, node: EachNode<State>, run: EachRun, place: Place): EachRun {
  return settle(turn, node, run.items, run.bodies, place, true);
}

function stop<State>(turn: Turn<State>, node: EachNode<State>, run: EachRun, place: Place): EachRun {
  return run.back ? run : settle(turn, node, run.items, run.bodies, place, true);
}

function settle<State>(
  turn: Turn<State>,
  node: EachNode<State>,
  items: readonly unknown[],
  before: readonly SequenceRun[],
  place: Place,
  turned: boolean,
): EachRun {
  const { blocks } = turn.engine;
  let bodies = before;
  let back = turned || bodies.some(goesBack);
  while (!back && bodies.length < items.length && openIn(bodies) < node.atOnce) {
    const body = blocks.enter(turn, node.body, itemAt(items, bodies.length, place));
    bodies = [...bodies, body];
    back = goesBack(body);
  }
  if (!back) {
    const phase = bodies.some(({ phase }) => phase === 'doing') ? 'doing' : bodies.some(isOpen) ? 'stuck' : 'done';
    return { phase, items, bodies };
  }
  for (let at = bodies.length - 1; at >= 0; at--) {
    const body = bodies[at]!;
    const there = itemAt(items, at, place);
    // What is under way has to stop at once; what is done waits for its turn.
    if (isForward(body)) bodies = bodies.with(at, blocks.stop(turn, node.body, body, there));
    else if (body.phase === 'done' && openIn(bodies) < node.atOnce) {
      bodies = bodies.with(at, blocks.undo(turn, node.body, body, there));
    }
  }
  const open = bodies.filter(isOpen);
  const phase = open.length === 0 ? 'undone' : open.every((body) => body.phase === 'stuck') ? 'stuck' : 'undoing';
  return { phase, back, items, bodies };
}

function goesBack(body: SequenceRun): boolean {
  return body.phase === 'undone' || (isOpen(body) && !isForward(body));
}

function openIn(bodies: readonly SequenceRun[]): number {
  return bodies.filter(isOpen).length;
}

function itemAt(items: readonly unknown[], at: number, place: Place): Place {
  return { ...inside(place, at), item: items[at] };
}
