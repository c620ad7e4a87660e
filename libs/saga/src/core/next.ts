import { parseCommandId } from './command-id.js';
import type { CommandId } from './command-id.js';
import type { SagaDefinition } from './definition.js';
import { draftOf } from './draft.js';
import { conclude } from './engine/conclude.js';
import { FAREWELL, farewellOf } from './engine/farewell.js';
import { engine } from './engine/nodes.js';
import { ROOT } from './engine/place.js';
import { EVERYWHERE } from './engine/signal.js';
import type { Signal } from './engine/signal.js';
import { Turn } from './engine/turn.js';
import { hasEnded } from './instance.js';
import type { SagaInstance } from './instance.js';
import { moveDeadline } from './move-deadline.js';
import { intervene } from './intervene.js';
import { keepEarly } from './early-events.js';
import { PastNeeded } from './past.js';
import { mayTurn, passedPivot } from './pivot.js';
import type { SequenceRun, StepRun } from './run.js';
import { SagaStarted } from './saga-events.js';
import type {
  CalledInput,
  CancelInput,
  EventInput,
  ReplyInput,
  SagaInput,
  StartInput,
  Transition,
  UndoInput,
} from './transition.js';

/** What is under way while a decision is made. */
export interface Progress {
  readonly run: SequenceRun;
  readonly farewell: StepRun | undefined;
}

/**
 * Decides how a saga goes on: what it is after an input, and what has to happen with that. Pure; without clock and
 * randomness, so the same input on the same instance always decides the same.
 *
 * @param instance undefined when there is none with this id
 * @throws PastNeeded when it depends on a past that the instance was given without
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
  const turn = new Turn(definition, instance, engine<State>(), now);
  switch (input.kind) {
    case 'reply':
    case 'called':
      return answer(turn, instance, input);
    case 'event':
      return happen(turn, instance, input);
    case 'wake':
      return wake(turn, instance);
    case 'undo':
      return undo(turn, instance, input);
    case 'cancel':
      return cancel(turn, instance, input);
    case 'deadline':
      return moveDeadline(turn, instance, input);
    default:
      return intervene(turn, instance, input);
  }
}

function start<State>(definition: SagaDefinition<State>, input: StartInput, now: number): Transition<State> {
  const { name: saga, version, hash, withinMs } = definition;
  const { id, correlationid = id, asker } = input;
  const begun: { -readonly [K in keyof SagaInstance<State>]: SagaInstance<State>[K] } = {
    saga,
    id,
    version,
    hash,
    correlationid,
    status: 'running',
    state: definition.start.state(input.input),
    run: { phase: 'doing', runs: [] },
    history: [],
    startedAt: now,
    updatedAt: now,
  };
  if (withinMs !== undefined) begun.deadline = now + withinMs;
  if (asker) begun.asker = asker;
  const turn = new Turn(definition, begun, engine<State>(), now);
  turn.note('saga', ROOT, 'do', 'started', { change: { value: turn.state } });
  turn.record(new SagaStarted(saga, id, new Date(now).toISOString()));
  const run = turn.engine.blocks.enter(turn, definition.body, ROOT);
  return conclude(turn, begun, { run, farewell: undefined });
}

// ── inputs ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function answer<State>(
  turn: Turn<State>,
  instance: SagaInstance<State>,
  input: ReplyInput | CalledInput,
): Transition<State> {
  const commandId = input.kind === 'reply' ? input.inReplyTo : input.callId;
  const answered = parseCommandId(commandId);
  if (!answered || answered.saga !== instance.saga || answered.id !== instance.id) {
    return ignored(`${commandId} is no command of this saga`);
  }
  const signal = signalOf(input, answered);
  const progress = route(turn, instance, signal, answered.path);
  if (turn.refusal === undefined) return conclude(turn, instance, progress);
  if (turn.isLate && turn.past) throw new PastNeeded();
  if (!turn.isLate || !wasSent(instance, answered.path, answered.direction)) return ignored(turn.refusal);
  // What comes too late may have done something: whoever looks for that finds it here.
  turn.note(nameAt(instance, answered.path), { path: answered.path, item: undefined }, answered.direction, 'late');
  return { outcome: 'noted', instance: { ...instance, history: turn.history }, reason: turn.refusal };
}

function happen<State>(
  turn: Turn<State>,
  instance: SagaInstance<State>,
  { type, data }: EventInput,
): Transition<State> {
  if (hasEnded(instance)) return ignored(`this saga is ${instance.status}`);
  const progress = route(turn, instance, { kind: 'event', type, data });
  if (turn.taken) return conclude(turn, instance, progress);
  const early = keepEarly(turn.definition, instance, { type, data });
  return early ? { outcome: 'moved', instance: early, actions: [] } : ignored(`nothing waits for ${type}`);
}

function wake<State>(turn: Turn<State>, instance: SagaInstance<State>): Transition<State> {
  const { deadline } = instance;
  if (hasEnded(instance)) return ignored(`this saga is ${instance.status}`);
  // The timer that woke it is gone: one that comes has to be set anew.
  const draft = draftOf(instance);
  const woken = draft as SagaInstance<State>;
  draft.wakeAt = undefined;
  if (deadline !== undefined && deadline <= turn.now) {
    // Past its pivot it does not turn round any more: then the deadline is over, and nothing wakes it up for it again.
    if (!mayTurn(turn.definition, instance)) {
      draft.deadline = undefined;
      return conclude(turn, woken, route(turn, instance, { kind: 'wake' }));
    }
    turn.fail('deadline', `not done within ${deadline - instance.startedAt} ms`);
    return turnRound(turn, woken);
  }
  return conclude(turn, woken, route(turn, instance, { kind: 'wake' }));
}

function cancel<State>(turn: Turn<State>, instance: SagaInstance<State>, input: CancelInput): Transition<State> {
  const { by, why } = input;
  if (!mayTurn(turn.definition, instance)) {
    return ignored(
      passedPivot(turn.definition, instance) && instance.status === 'running'
        ? 'this saga is past its pivot: it only goes forward'
        : `this saga is ${instance.status}`,
    );
  }
  turn.note('saga', ROOT, 'do', 'cancelled', { by, why });
  turn.fail('cancelled', why);
  return turnRound(turn, instance);
}

/** The saga that it is a part of takes it back: also when it was completed, unless it is past its pivot. */
function undo<State>(turn: Turn<State>, instance: SagaInstance<State>, { asker }: UndoInput): Transition<State> {
  const asked = { ...instance, asker };
  if (instance.status === 'compensated') return conclude(turn, asked, instance as Progress);
  if (passedPivot(turn.definition, instance) || instance.status === 'aborted') {
    return ignored(`this saga is ${instance.status} and cannot be undone`);
  }
  if (instance.failure) return { outcome: 'moved', instance: asked, actions: [] };
  turn.fail('undone', 'the saga that it is a part of was turned round');
  const { blocks } = turn.engine;
  const back = instance.run.phase === 'done' ? blocks.undo : blocks.stop;
  const run = back(turn, turn.definition.body, instance.run, ROOT);
  const { endedAt: _endedAt, farewell: _farewell, ...open } = asked;
  return conclude(turn, { ...open, status: 'running' }, { run, farewell: undefined });
}

// ── details ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Lets a signal take its way: to one command, or everywhere. */
export function route<State>(
  turn: Turn<State>,
  instance: SagaInstance<State>,
  signal: Signal,
  path?: string,
): Progress {
  const { definition, engine } = turn;
  let { run, farewell } = instance as Progress;
  if (path === FAREWELL.path) {
    if (farewell)
      farewell = engine.feel(turn, farewellOf(definition, instance), farewell, FAREWELL, signal, EVERYWHERE) as StepRun;
    else turn.ignore('this saga has not come to its end');
    return { run, farewell };
  }
  run = engine.blocks.feel(turn, definition.body, run, ROOT, signal, path?.split('.') ?? EVERYWHERE);
  if (path === undefined && farewell) {
    farewell = engine.feel(turn, farewellOf(definition, instance), farewell, FAREWELL, signal, EVERYWHERE) as StepRun;
  }
  return { run, farewell };
}

/** Not put together by spreading, for the reason of {@link draftOf}. */
function signalOf(input: ReplyInput | CalledInput, answered: CommandId): Signal {
  if (input.kind === 'called') return { kind: 'called', answered, result: input.result };
  const { outcome, type, data } = input;
  return { kind: 'reply', answered, outcome, type, data };
}

function turnRound<State>(turn: Turn<State>, instance: SagaInstance<State>): Transition<State> {
  const run = turn.engine.blocks.stop(turn, turn.definition.body, instance.run, ROOT);
  return conclude(turn, instance, { run, farewell: undefined });
}

function wasSent({ history }: SagaInstance, path: string, direction: string): boolean {
  return history.some((entry) => entry.path === path && entry.direction === direction && entry.what === 'sent');
}

function nameAt({ history }: SagaInstance, path: string): string {
  return history.find((entry) => entry.path === path)!.step;
}

function ignored(reason: string): { outcome: 'ignored'; reason: string } {
  return { outcome: 'ignored', reason };
}
