import { backoff } from '@millrace/broker';
import { parseCommandId } from './command-id.js';
import type { SagaDefinition } from './definition.js';
import { isOver } from './instance.js';
import type { SagaInstance } from './instance.js';
import { begin, end, fail, note, park, planInHand, send, stateFrom, wait } from './turn.js';
import type { Turn } from './turn.js';
import type { ReplyInput, SagaInput, StartInput, TimerInput, Transition } from './transition.js';
import { judge } from './verdict.js';

/**
 * Decides how a saga goes on: what it is after an input, and what has to happen with that. Pure; without clock and
 * randomness, so the same input on the same instance always decides the same.
 *
 * @param instance undefined when there is none with this id
 * @throws NonRetryableError when the definition has lost the step that the instance is at
 */
export function next<State>(
  definition: SagaDefinition<State>,
  instance: SagaInstance<State> | undefined,
  input: SagaInput,
  { now }: { readonly now: number },
): Transition<State> {
  if (input.kind === 'start') {
    return instance ? ignored('this saga has been started before') : start(definition, input, now);
  }
  if (!instance) return ignored('there is no such saga');
  if (isOver(instance)) return ignored(`this saga is ${instance.status}`);
  planInHand(definition, instance);
  const turn = { definition, instance, now, actions: [] };
  switch (input.kind) {
    case 'reply':
      return takeReply(turn, input);
    case 'deadline':
      return meetDeadline(turn, input);
    case 'retry':
      return endWait(turn, input);
  }
}

function start<State>(definition: SagaDefinition<State>, input: StartInput, now: number): Transition<State> {
  return moved(doStep(begin(definition, input, now), 0));
}

// ── inputs ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function takeReply<State>(turn: Turn<State>, reply: ReplyInput): Transition<State> {
  const attempt = attemptAnswered(turn, reply);
  if (attempt === undefined) return ignored(`${reply.inReplyTo} is not the command in hand`);
  const verdict = judge(turn.definition, turn.instance, reply);
  if (verdict === 'no-answer') return ignored(`${reply.type} is no answer to this step`);
  // Any attempt's success is the step's success. A refusal counts only for the newest: the others may have succeeded.
  if (verdict === 'done') return moved(goOn(note(stateFrom(turn, reply), 'done')));
  const { pending } = turn.instance;
  if (attempt !== pending!.attempt || pending!.waiting) return ignored('this attempt was given up before');
  if (verdict === 'failed') return moved(tryAgain(note(turn, 'refused'), `refused with ${reply.type}`));
  // When an earlier attempt has not been answered, it may have done what this one was refused.
  const undoFrom = attempt === 1 ? turn.instance.step - 1 : turn.instance.step;
  return moved(turnRound(note(turn, 'refused'), verdict.refused, undoFrom));
}

function meetDeadline<State>(turn: Turn<State>, { commandId }: TimerInput): Transition<State> {
  const { pending } = turn.instance;
  if (commandId !== pending!.id || pending!.waiting) return ignored(`${commandId} is not being waited for`);
  const { withinMs } = planInHand(turn.definition, turn.instance);
  return moved(tryAgain(note(turn, 'timed-out'), `no answer within ${withinMs} ms`));
}

function endWait<State>(turn: Turn<State>, { commandId }: TimerInput): Transition<State> {
  const { pending } = turn.instance;
  if (commandId !== pending!.id || !pending!.waiting) return ignored(`${commandId} is not to be sent again`);
  return moved(sendAgain(turn));
}

// ── decisions ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** The command in hand has succeeded. */
function goOn<State>(turn: Turn<State>): Turn<State> {
  switch (turn.instance.status) {
    case 'running':
      return doStep(turn, turn.instance.step + 1);
    case 'compensating':
      return undoFrom(turn, turn.instance.step - 1);
    default:
      return end(turn, 'compensated');
  }
}

function doStep<State>(turn: Turn<State>, step: number): Turn<State> {
  if (step === turn.definition.steps.length) return end(turn, 'completed');
  return send(turn, { status: 'running', step, attempt: 1 });
}

/** Compensates the steps from this one back to the first. */
function undoFrom<State>(turn: Turn<State>, last: number): Turn<State> {
  const step = turn.definition.steps.findLastIndex(({ undo }, index) => index <= last && undo !== undefined);
  return step < 0 ? reject(turn) : send(turn, { status: 'compensating', step, attempt: 1 });
}

function reject<State>(turn: Turn<State>): Turn<State> {
  if (!turn.definition.onCompensated) return end(turn, 'compensated');
  return send(turn, { status: 'rejecting', step: 0, attempt: 1 });
}

function turnRound<State>(turn: Turn<State>, reason: string, last: number): Turn<State> {
  return undoFrom(fail(turn, reason), last);
}

/** The attempt in hand has failed, or its outcome is unknown. */
function tryAgain<State>(turn: Turn<State>, reason: string): Turn<State> {
  const { retry } = planInHand(turn.definition, turn.instance);
  const { attempt } = turn.instance.pending!;
  if (attempt >= retry.attempts) return giveUp(turn, `${reason}, ${attempt} ${attempt === 1 ? 'attempt' : 'attempts'}`);
  const pause = backoff(retry, attempt, 0);
  return pause > 0 ? wait(turn, pause) : sendAgain(turn);
}

function sendAgain<State>(turn: Turn<State>): Turn<State> {
  const { status, step, pending } = turn.instance;
  return send(turn, { status, step, attempt: pending!.attempt + 1 });
}

/** A step that is given up may have been done or may still be: its own compensation comes first. */
function giveUp<State>(turn: Turn<State>, reason: string): Turn<State> {
  const gaveUp = note(turn, 'given-up');
  return turn.instance.status === 'running' ? turnRound(gaveUp, reason, turn.instance.step) : park(gaveUp, reason);
}

// ── details ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Which attempt of the command in hand this reply answers; undefined: none. */
function attemptAnswered<State>({ instance }: Turn<State>, reply: ReplyInput): number | undefined {
  const answered = parseCommandId(reply.inReplyTo);
  const inHand = parseCommandId(instance.pending!.id)!;
  const same =
    answered?.saga === inHand.saga &&
    answered.id === inHand.id &&
    answered.step === inHand.step &&
    answered.direction === inHand.direction &&
    answered.attempt <= inHand.attempt;
  return same ? answered.attempt : undefined;
}

function moved<State>({ instance, actions }: Turn<State>): Transition<State> {
  return { outcome: 'moved', instance, actions };
}

function ignored(reason: string): { outcome: 'ignored'; reason: string } {
  return { outcome: 'ignored', reason };
}
