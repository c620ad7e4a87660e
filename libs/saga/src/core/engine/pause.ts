import { contractOf } from '@millrace/messages';
import type { SleepNode, WaitNode } from '../definition.js';
import type { PauseRun } from '../run.js';
import type { Place } from './place.js';
import type { Signal } from './signal.js';
import type { Behaviour, Turn } from './turn.js';

const UNDONE: PauseRun = { phase: 'undone' };
const DONE: PauseRun = { phase: 'done' };

/** Nothing is done, so there is nothing to undo. */
const leave = { undo: () => UNDONE, stop: () => UNDONE };

/** Lets time pass. */
export function sleepBehaviour<State>(): Behaviour<State, SleepNode<State>, PauseRun> {
  return {
    ...leave,
    enter: (turn, node, place) => {
      turn.note(node.name, place, 'do', 'sent');
      return { phase: 'doing', due: node.until(turn.state, turn.now, place.item) };
    },
    feel: (turn, node, run, place, signal) => {
      if (signal.kind !== 'wake' || run.phase !== 'doing' || run.due! > turn.now) return run;
      turn.note(node.name, place, 'do', 'done');
      return DONE;
    },
  };
}

/** Waits for an event, which may have come already. */
export function waitBehaviour<State>(): Behaviour<State, WaitNode<State>, PauseRun> {
  return {
    ...leave,
    enter: (turn, node, place) => {
      turn.note(node.name, place, 'do', 'sent');
      const early = turn.takeEarly(contractOf(node.event).type, (event) => fits(turn, node, event, place));
      if (early) return take(turn, node, early, place);
      return { phase: 'doing', ...(node.withinMs === undefined ? {} : { due: turn.now + node.withinMs }) };
    },
    feel: (turn, node, run, place, signal) => {
      if (run.phase !== 'doing') return run;
      if (signal.kind === 'wake') return expire(turn, node, run, place);
      if (signal.kind !== 'event' || !isFor(turn, node, signal, place)) return run;
      turn.taken = true;
      return take(turn, node, signal.data, place);
    },
  };
}

function expire<State>(turn: Turn<State>, node: WaitNode<State>, run: PauseRun, place: Place): PauseRun {
  if (run.due === undefined || run.due > turn.now) return run;
  turn.note(node.name, place, 'do', 'timed-out');
  if (node.otherwise) {
    const change = turn.become(node.otherwise(turn.state));
    turn.note(node.name, place, 'do', 'done', change && { change });
    return DONE;
  }
  turn.fail(node.name, `no ${contractOf(node.event).type} within ${node.withinMs} ms`);
  return UNDONE;
}

function take<State>(turn: Turn<State>, node: WaitNode<State>, event: object, place: Place): PauseRun {
  const change = turn.become(node.take(turn.state, event));
  turn.note(node.name, place, 'do', 'done', change && { change });
  return DONE;
}

function isFor<State>(
  turn: Turn<State>,
  node: WaitNode<State>,
  signal: Extract<Signal, { kind: 'event' }>,
  place: Place,
): boolean {
  return signal.type === contractOf(node.event).type && fits(turn, node, signal.data, place);
}

function fits<State>(turn: Turn<State>, node: WaitNode<State>, event: object, { item }: Place): boolean {
  return node.accepts?.(turn.state, event, item) ?? true;
}
