import { backoff } from '@millrace/broker';
import type { Plan, StepNode } from '../definition.js';
import type { StepRun } from '../run.js';
import { judge } from '../verdict.js';
import type { Place } from './place.js';
import type { Answer, Called, Intervention, Signal } from './signal.js';
import type { Behaviour, Turn } from './turn.js';

type Way = 'do' | 'undo';

/** A step: attempts to do it, and perhaps attempts to undo it. */
export function stepBehaviour<State>(): Behaviour<State, StepNode<State>, StepRun> {
  return { enter, feel, undo, stop };
}

function enter<State>(turn: Turn<State>, node: StepNode<State>, place: Place): StepRun {
  return begin(turn, node, place, { phase: 'doing', attempt: 1 }, 'do');
}

function undo<State>(turn: Turn<State>, node: StepNode<State>, run: StepRun, place: Place): StepRun {
  if (!node.undo) return { phase: 'undone', attempt: run.attempt };
  const { key } = run;
  return begin(turn, node, place, { phase: 'undoing', attempt: 1, ...(key === undefined ? {} : { key }) }, 'undo');
}

function stop<State>(turn: Turn<State>, node: StepNode<State>, run: StepRun, place: Place): StepRun {
  if (run.phase === 'stuck') return undo(turn, node, run, place);
  const { kind } = node.do.act;
  // These two can be told to stop, so nobody waits for what becomes of them.
  if (kind === 'child' || kind === 'lock') return undo(turn, node, run, place);
  if (!run.waiting) return { ...run, stopping: true };
  return run.unsure ? undo(turn, node, run, place) : { phase: 'undone', attempt: run.attempt };
}

function feel<State>(turn: Turn<State>, node: StepNode<State>, run: StepRun, place: Place, signal: Signal): StepRun {
  switch (signal.kind) {
    case 'reply':
      return takeReply(turn, node, run, place, signal);
    case 'called':
      return takeResult(turn, node, run, place, signal);
    case 'wake':
      return wake(turn, node, run, place);
    case 'intervene':
      return intervene(turn, node, run, place, signal);
    case 'event':
      return run;
  }
}

// ── signals ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function takeReply<State>(
  turn: Turn<State>,
  node: StepNode<State>,
  run: StepRun,
  place: Place,
  reply: Answer,
): StepRun {
  if (!isInHand(turn, run, reply)) return run;
  const { attempt } = reply.answered;
  if (run.phase === 'undoing') {
    if (reply.outcome === 'success') return undone(turn, node, run, place);
    if (attempt !== run.attempt || run.waiting) return late(turn, run);
    turn.note(node.name, place, 'undo', 'refused');
    return tryAgain(turn, node, run, place, 'undo', `refused with ${reply.type}`);
  }
  const verdict = judge(node, turn.state, reply, place.item);
  if (verdict === 'no-answer') {
    turn.ignore(`${reply.type} is no answer to this step`);
    return run;
  }
  // Any attempt's success is the step's success. A refusal counts only for the newest: the others may have succeeded.
  if ('state' in verdict) return succeed(turn, node, run, place, verdict.state);
  if (attempt !== run.attempt || run.waiting) return late(turn, run);
  turn.note(node.name, place, 'do', 'refused');
  if (verdict.refused === undefined) return tryAgain(turn, node, run, place, 'do', `refused with ${reply.type}`);
  return refuse(turn, node, run, place, verdict.refused);
}

function takeResult<State>(
  turn: Turn<State>,
  node: StepNode<State>,
  run: StepRun,
  place: Place,
  { answered, result }: Called,
): StepRun {
  if (!isInHand(turn, run, { answered })) return run;
  const way = wayOf(run);
  if (result.status === 'answered') {
    if (way === 'undo') return undone(turn, node, run, place);
    const handler = node.replies.get('');
    const state =
      handler && 'succeeds' in handler ? handler.succeeds(turn.state, result.value as object, place.item) : turn.state;
    return succeed(turn, node, run, place, state);
  }
  if (answered.attempt !== run.attempt || run.waiting) return late(turn, run);
  if (result.status === 'refused' && way === 'do' && !node.untilDone) {
    turn.note(node.name, place, 'do', 'refused');
    return refuse(turn, node, run, place, result.reason);
  }
  turn.note(node.name, place, way, 'failed');
  const unsure: StepRun = result.status === 'failed' ? { ...run, unsure: true } : run;
  if (result.status === 'failed' && !result.retryable) return giveUp(turn, node, unsure, place, way, result.reason);
  return tryAgain(turn, node, unsure, place, way, result.reason);
}

function wake<State>(turn: Turn<State>, node: StepNode<State>, run: StepRun, place: Place): StepRun {
  if (run.due === undefined || run.due > turn.now) return run;
  const way = wayOf(run);
  if (run.waiting) return begin(turn, node, place, { ...run, attempt: run.attempt + 1 }, way);
  turn.note(node.name, place, way, 'timed-out');
  const { withinMs } = planOf(node, way);
  return tryAgain(turn, node, { ...run, unsure: true }, place, way, `no answer within ${withinMs} ms`);
}

function intervene<State>(
  turn: Turn<State>,
  node: StepNode<State>,
  run: StepRun,
  place: Place,
  { what }: Intervention,
): StepRun {
  if (run.phase !== 'stuck') {
    turn.ignore(`step '${node.name}' is not parked: it is ${run.phase}`);
    return run;
  }
  const { way = 'undo' } = run;
  if (what !== 'retry') return { phase: way === 'undo' ? 'undone' : 'done', attempt: run.attempt };
  const phase = way === 'undo' ? 'undoing' : 'doing';
  return begin(turn, node, place, { ...run, phase, attempt: run.attempt + 1 }, way);
}

// ── decisions ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** One attempt, with its deadline. */
function begin<State>(turn: Turn<State>, node: StepNode<State>, place: Place, run: StepRun, way: Way): StepRun {
  const { act, withinMs } = planOf(node, way);
  const used = turn.perform(act, place, way, run.attempt, run.key, way === 'do' && node.undo !== undefined);
  turn.note(node.name, place, way, 'sent');
  const { phase, attempt, unsure, stopping } = run;
  const begun: { -readonly [K in keyof StepRun]: StepRun[K] } = { phase, attempt };
  if (unsure) begun.unsure = unsure;
  if (stopping) begun.stopping = stopping;
  // Whoever runs a function sees to its deadline.
  if (act.kind !== 'call' && withinMs !== Infinity) begun.due = turn.now + withinMs;
  if (used !== undefined) begun.key = used;
  return begun;
}

function succeed<State>(turn: Turn<State>, node: StepNode<State>, run: StepRun, place: Place, state: State): StepRun {
  const change = turn.become(state);
  turn.note(node.name, place, 'do', 'done', change && { change });
  const { attempt, key, stopping } = run;
  const done: StepRun = key === undefined ? { phase: 'done', attempt } : { phase: 'done', attempt, key };
  return stopping ? undo(turn, node, done, place) : done;
}

function undone<State>(turn: Turn<State>, node: StepNode<State>, run: StepRun, place: Place): StepRun {
  turn.note(node.name, place, 'undo', 'done');
  return { phase: 'undone', attempt: run.attempt };
}

/** When an earlier attempt has not been answered, it may have done what this one was refused. */
function refuse<State>(turn: Turn<State>, node: StepNode<State>, run: StepRun, place: Place, reason: string): StepRun {
  if (!run.stopping) turn.fail(node.name, reason);
  return run.attempt === 1 ? { phase: 'undone', attempt: 1 } : undo(turn, node, run, place);
}

/** The attempt in hand has failed, or its outcome is unknown. */
function tryAgain<State>(
  turn: Turn<State>,
  node: StepNode<State>,
  run: StepRun,
  place: Place,
  way: Way,
  reason: string,
): StepRun {
  const { retry } = planOf(node, way);
  const { attempt } = run;
  if (attempt >= retry.attempts || run.stopping) {
    return giveUp(turn, node, run, place, way, `${reason}, ${attempt} ${attempt === 1 ? 'attempt' : 'attempts'}`);
  }
  const pause = backoff(retry, attempt, 0);
  if (pause === 0) return begin(turn, node, place, { ...run, attempt: attempt + 1 }, way);
  return { ...run, waiting: true, due: turn.now + pause };
}

/** A step that is given up may have been done or may still be: its own compensation comes first. */
function giveUp<State>(
  turn: Turn<State>,
  node: StepNode<State>,
  run: StepRun,
  place: Place,
  way: Way,
  reason: string,
): StepRun {
  turn.note(node.name, place, way, 'given-up', { reason });
  if (way === 'do' && !node.untilDone) {
    if (!run.stopping) turn.fail(node.name, reason);
    return undo(turn, node, run, place);
  }
  turn.stuck.push({ step: node.name, path: place.path, direction: way, reason });
  const { attempt, key } = run;
  return { phase: 'stuck', attempt, way, reason, ...(key === undefined ? {} : { key }) };
}

// ── details ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function wayOf(run: StepRun): Way {
  return run.phase === 'undoing' ? 'undo' : 'do';
}

function planOf<State>(node: StepNode<State>, way: Way): Plan<State> {
  return way === 'do' ? node.do : node.undo!;
}

/** Whether this answers an attempt of what is under way. */
function isInHand<State>(turn: Turn<State>, run: StepRun, { answered }: Pick<Answer, 'answered'>): boolean {
  const moving = run.phase === 'doing' || run.phase === 'undoing';
  if (moving && answered.direction === wayOf(run) && answered.attempt <= run.attempt) return true;
  turn.ignore('this is not the command in hand', run.attempt >= answered.attempt || answered.direction !== wayOf(run));
  return false;
}

function late<State>(turn: Turn<State>, run: StepRun): StepRun {
  turn.ignore('this attempt was given up before', true);
  return run;
}
