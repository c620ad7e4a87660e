import { NonRetryableError } from '@millrace/broker';
import { formatCommandId } from './command-id.js';
import type { Direction } from './command-id.js';
import type { CommandPlan, SagaDefinition } from './definition.js';
import type { Happening, HistoryEntry, SagaInstance, SagaStatus } from './instance.js';
import { SagaEnded, SagaParked, SagaStarted, SagaTurned } from './saga-events.js';
import type { SagaEvent } from './saga-events.js';
import type { ReplyInput, SagaAction, StartInput } from './transition.js';

/** A transition while it is being decided. Every function here answers a new one. */
export interface Turn<State> {
  readonly definition: SagaDefinition<State>;
  readonly instance: SagaInstance<State>;
  readonly actions: readonly SagaAction[];
  readonly now: number;
}

/** A new instance that has not sent anything. */
export function begin<State>(definition: SagaDefinition<State>, input: StartInput, now: number): Turn<State> {
  const { id, event, correlationid = id } = input;
  const { name: saga, start } = definition;
  const instance: SagaInstance<State> = {
    saga,
    id,
    correlationid,
    status: 'running',
    step: 0,
    state: start.state(event),
    history: [],
    startedAt: now,
  };
  return record({ definition, instance, actions: [], now }, new SagaStarted(saga, id, iso(now)));
}

/** The state that a step's success leads to. */
export function stateFrom<State>(turn: Turn<State>, { type, data }: ReplyInput): Turn<State> {
  const { instance, definition } = turn;
  const handler = instance.status === 'running' ? definition.steps[instance.step]?.replies.get(type) : undefined;
  if (!handler || !('succeeds' in handler)) return turn;
  return { ...turn, instance: { ...instance, state: handler.succeeds(instance.state, data) } };
}

/** Sends a command and starts its deadline. */
export function send<State>(
  turn: Turn<State>,
  { attempt, ...position }: { readonly status: SagaStatus; readonly step: number; readonly attempt: number },
): Turn<State> {
  const moved = { ...turn.instance, ...position };
  const { command, withinMs } = planInHand(turn.definition, moved);
  const { saga, id, step, status } = moved;
  const commandId = formatCommandId({ saga, id, step, direction: directionOf(status), attempt });
  const actions: SagaAction[] = [
    { kind: 'send', id: commandId, command: command(moved.state, moved.failure) },
    { kind: 'deadline', commandId, at: turn.now + withinMs },
  ];
  const instance = { ...moved, pending: { id: commandId, attempt, waiting: false } };
  return note({ ...turn, instance, actions: [...turn.actions, ...actions] }, 'sent');
}

/** Puts the next attempt off. */
export function wait<State>(turn: Turn<State>, pause: number): Turn<State> {
  const pending = { ...turn.instance.pending!, waiting: true };
  const retry: SagaAction = { kind: 'retry', commandId: pending.id, at: turn.now + pause };
  return { ...turn, instance: { ...turn.instance, pending }, actions: [...turn.actions, retry] };
}

/** Remembers why the step in hand has failed. */
export function fail<State>(turn: Turn<State>, reason: string): Turn<State> {
  const { saga, id } = turn.instance;
  const step = stepInHand(turn);
  const failed = { ...turn, instance: { ...turn.instance, failure: { step, reason } } };
  return record(failed, new SagaTurned(saga, id, step, reason, iso(turn.now)));
}

export function end<State>(turn: Turn<State>, outcome: 'completed' | 'compensated'): Turn<State> {
  const { saga, id } = turn.instance;
  return record(stop(turn, outcome), new SagaEnded(saga, id, outcome, iso(turn.now)));
}

export function park<State>(turn: Turn<State>, reason: string): Turn<State> {
  const { saga, id } = turn.instance;
  return record(stop(turn, 'parked'), new SagaParked(saga, id, stepInHand(turn), reason, iso(turn.now)));
}

/** Adds to the history what has happened to the command in hand. */
export function note<State>(turn: Turn<State>, what: Happening): Turn<State> {
  const { instance, now } = turn;
  const step = stepInHand(turn);
  const direction = directionOf(instance.status);
  const same = (entry: HistoryEntry) => entry.step === step && entry.direction === direction && entry.what === what;
  const history = instance.history.some(same)
    ? instance.history.map((entry) => (same(entry) ? { ...entry, times: entry.times + 1 } : entry))
    : [...instance.history, { step, direction, what, at: now, times: 1 }];
  return { ...turn, instance: { ...instance, history } };
}

/**
 * The command that an instance is at.
 *
 * @throws NonRetryableError when the definition was changed and has no such command any more
 */
export function planInHand<State>(
  definition: SagaDefinition<State>,
  instance: SagaInstance<State>,
): CommandPlan<State> {
  const step = definition.steps[instance.step];
  const plans = { do: step?.command, undo: step?.undo, end: definition.onCompensated };
  const plan = plans[directionOf(instance.status)];
  if (plan) return plan;
  throw new NonRetryableError(
    `saga '${instance.saga}' ${instance.id} is ${instance.status} at step ${instance.step}, which its definition does not ` +
      `have any more: keep the steps of sagas that are under way, add a new saga under another name`,
  );
}

function stop<State>(turn: Turn<State>, status: SagaStatus): Turn<State> {
  const { pending: _, ...instance } = turn.instance;
  return { ...turn, instance: { ...instance, status }, actions: [...turn.actions, { kind: 'cancel-timer' }] };
}

function record<State>(turn: Turn<State>, event: SagaEvent): Turn<State> {
  return { ...turn, actions: [...turn.actions, { kind: 'record', event }] };
}

function stepInHand<State>({ definition, instance }: Turn<State>): string {
  return instance.status === 'rejecting' ? 'rejection' : definition.steps[instance.step]!.name;
}

function directionOf(status: SagaStatus): Direction {
  return status === 'running' ? 'do' : status === 'compensating' ? 'undo' : 'end';
}

function iso(now: number): string {
  return new Date(now).toISOString();
}
