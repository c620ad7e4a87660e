import { contractOf } from '@millrace/messages';
import { begun } from '../begun.js';
import type { SagaDefinition, SagaFailure } from '../definition.js';
import { draftOf } from '../draft.js';
import type { Draft } from '../draft.js';
import { hasEnded } from '../instance.js';
import type { ParkedStep, SagaInstance, SagaStatus } from '../instance.js';
import { ChildCompleted, ChildUndone, ChildFailed } from '../internal-messages.js';
import { dueOf, isHalted, isOpen } from '../run.js';
import type { Run, SequenceRun, StepRun } from '../run.js';
import { SagaEnded, SagaParked, SagaTurned } from '../saga-events.js';
import type { SagaOutcome } from '../saga-events.js';
import type { Transition } from '../transition.js';
import { FAREWELL, farewellOf } from './farewell.js';
import { pageOut } from './history-pages.js';
import { locksIn } from './held-locks.js';
import { ROOT } from './place.js';
import type { Turn } from './turn.js';

/** What has become of what was under way. */
interface Progress {
  readonly run: SequenceRun;
  readonly farewell: StepRun | undefined;
}

/** Draws the conclusions of a turn: the saga's status, its end, its timer. */
export function conclude<State>(
  turn: Turn<State>,
  before: SagaInstance<State>,
  { run, farewell: known }: Progress,
): Transition<State> {
  const after = draftOf(before);
  const failure = turnedRound(turn, before, run) ?? before.failure;
  after.failure = failure;
  const parked = stillParked(turn, before, run, failure);
  const farewell = known ?? beginFarewell(turn, after as SagaInstance<State>, run);
  const status = statusOf(before.status, failure, run, farewell, parked);
  after.status = status;
  after.state = turn.state;
  after.run = run;
  after.updatedAt = turn.now;
  after.farewell = farewell;
  after.parked = parked.length > 0 ? parked : undefined;
  after.early = turn.early.length > 0 ? turn.early : undefined;
  if (hasEnded({ status })) end(turn, after, status as SagaOutcome);
  after.history = turn.history;
  setTimer(turn, after, before.wakeAt);
  return { outcome: 'moved', instance: pageOut(turn, after as SagaInstance<State>), actions: turn.actions };
}

/** Why it turns round in this turn; undefined: it does not. */
function turnedRound<State>(turn: Turn<State>, before: SagaInstance<State>, run: SequenceRun): SagaFailure | undefined {
  if (!run.back || before.run.back) return undefined;
  const failure = turn.failure ?? { step: 'saga', reason: 'turned round' };
  const { saga, id } = before;
  turn.record(new SagaTurned(saga, id, failure.step, failure.reason, iso(turn.now)));
  return failure;
}

function stillParked<State>(
  turn: Turn<State>,
  before: SagaInstance<State>,
  run: SequenceRun,
  failure: SagaFailure | undefined,
): readonly ParkedStep[] {
  const { saga, id } = before;
  for (const { step, reason } of turn.stuck) {
    turn.record(new SagaParked(saga, id, step, reason, iso(turn.now)));
    const message = turn.definition.ends.parked?.(turn.state, failure ?? { step, reason });
    if (message) turn.publish(message, `parked/${placeInHistory(turn, before)}`);
  }
  const steps = [...(before.parked ?? []), ...turn.stuck];
  if (steps.length === 0) return steps;
  const stuck = stuckIn(turn.definition, run);
  return steps.filter(({ path }) => stuck.has(path));
}

/** Tells one time that it is parked from another, also when older pages of its history have been put beside it. */
function placeInHistory<State>({ past, history }: Turn<State>, { pages }: SagaInstance<State>): string {
  const place = (past?.entries ?? 0) + history.length;
  return pages === undefined ? String(place) : `${pages}.${place}`;
}

/** Where an instance waits for a person. */
function stuckIn<State>(definition: SagaDefinition<State>, run: SequenceRun): ReadonlySet<string> {
  const isStuck = (each: Run): boolean => ('attempt' in each && each.phase === 'stuck') || isHalted(each);
  return new Set(
    begun(definition, run, isOpen)
      .filter((each) => isStuck(each.run))
      .map(({ path }) => path),
  );
}

/** Tells of the end, once nothing else is to be done. Answers the step that does so, if somebody has to answer. */
function beginFarewell<State>(turn: Turn<State>, instance: SagaInstance<State>, run: SequenceRun): StepRun | undefined {
  if (isOpen(run) || hasEnded(instance)) return undefined;
  const { ends } = turn.definition;
  const { failure } = instance;
  const message = failure ? ends.compensated?.(turn.state, failure) : ends.completed?.(turn.state);
  if (!message) return undefined;
  const { kind } = contractOf(message);
  if (kind === 'command') return turn.engine.enter(turn, farewellOf(turn.definition, instance), FAREWELL) as StepRun;
  if (kind === 'event') turn.publish(message, 'end');
  else if (instance.asker && !instance.asker.parent) turn.answer(instance.asker, message);
  return undefined;
}

function statusOf(
  status: SagaStatus,
  failure: SagaFailure | undefined,
  run: SequenceRun,
  farewell: StepRun | undefined,
  parked: readonly ParkedStep[],
): SagaStatus {
  if (status === 'aborted') return status;
  if (parked.length > 0 || farewell?.phase === 'stuck') return 'parked';
  if (isOpen(run)) return run.back ? 'compensating' : 'running';
  if (farewell && isOpen(farewell)) return failure ? 'rejecting' : 'completing';
  return failure ? 'compensated' : 'completed';
}

function end<State>(turn: Turn<State>, instance: Draft<State>, outcome: SagaOutcome): void {
  const { saga, id, run, asker, failure } = instance as SagaInstance<State>;
  if (instance.endedAt === undefined) {
    turn.note('saga', ROOT, outcome === 'compensated' ? 'undo' : 'do', outcome);
    turn.record(new SagaEnded(saga, id, outcome, iso(turn.now)));
    for (const key of locksIn(turn.definition, run)) turn.actions.push({ kind: 'unlock', key });
    instance.endedAt = turn.now;
  }
  if (asker?.parent) turn.answer(asker, childReply(outcome, turn.state, failure, asker.commandId));
  instance.early = undefined;
  instance.deadline = undefined;
}

function childReply(outcome: SagaOutcome, state: unknown, failure: SagaFailure | undefined, commandId: string): object {
  if (commandId.includes('/undo/')) return new ChildUndone();
  if (outcome === 'completed') return new ChildCompleted(state);
  return new ChildFailed(failure ? `${failure.step}: ${failure.reason}` : 'aborted');
}

/** One timer for all that is due some time. */
function setTimer<State>(turn: Turn<State>, instance: Draft<State>, before: number | undefined): void {
  const at = hasEnded({ status: instance.status! }) ? undefined : firstDue(instance as SagaInstance<State>);
  if (at !== before) turn.actions.push({ kind: 'wake', at });
  instance.wakeAt = at;
}

function firstDue<State>({ run, farewell, deadline, failure }: SagaInstance<State>): number | undefined {
  return earliest(earliest(dueOf(run), farewell && dueOf(farewell)), failure ? undefined : deadline);
}

function earliest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || (b !== undefined && b < a) ? b : a;
}

function iso(now: number): string {
  return new Date(now).toISOString();
}
