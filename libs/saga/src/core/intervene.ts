import { conclude } from './engine/conclude.js';
import { ROOT } from './engine/place.js';
import { EVERYWHERE } from './engine/signal.js';
import type { Turn } from './engine/turn.js';
import { FAREWELL, farewellOf } from './engine/farewell.js';
import type { Happening, ParkedStep, SagaInstance } from './instance.js';
import { hasEnded } from './instance.js';
import type { StepRun } from './run.js';
import type { AbortInput, ParkedStepInput, Transition } from './transition.js';

/** What a person decides about a saga: how a step that is parked goes on, or that the saga ends as it is. */
export function intervene<State>(
  turn: Turn<State>,
  instance: SagaInstance<State>,
  input: ParkedStepInput | AbortInput,
): Transition<State> {
  return input.kind === 'abort' ? abort(turn, instance, input) : settleStep(turn, instance, input);
}

const WORDS: Readonly<Record<ParkedStepInput['kind'], Happening>> = {
  retry: 'retried',
  skip: 'skipped',
  resolve: 'resolved',
};

function settleStep<State>(
  turn: Turn<State>,
  instance: SagaInstance<State>,
  input: ParkedStepInput,
): Transition<State> {
  const { kind: what, by, why } = input;
  const parked = chosen(instance, input.path);
  if (typeof parked === 'string') return { outcome: 'ignored', reason: parked };
  const { step, path, direction } = parked;
  const place = { path, item: undefined };
  const change = what === 'resolve' && 'state' in input ? turn.become(input.state as State) : undefined;
  turn.note(step, place, direction, WORDS[what], { by, why, ...(change ? { change } : {}) });
  const signal = { kind: 'intervene', what } as const;
  const { engine, definition } = turn;
  if (path === FAREWELL.path) {
    const step = farewellOf(definition, instance);
    const farewell = engine.feel(turn, step, instance.farewell!, FAREWELL, signal, EVERYWHERE) as StepRun;
    return conclude(turn, instance, { run: instance.run, farewell });
  }
  const run = engine.blocks.feel(turn, definition.body, instance.run, ROOT, signal, path.split('.'));
  if (turn.refusal !== undefined) return { outcome: 'ignored', reason: turn.refusal };
  return conclude(turn, instance, { run, farewell: instance.farewell });
}

/** The step that is meant, or why there is none. */
function chosen({ parked = [], status }: SagaInstance, path: string | undefined): ParkedStep | string {
  if (parked.length === 0) return `no step of this saga is parked: it is ${status}`;
  const names = parked.map((each) => `'${each.step}' (${each.path})`).join(', ');
  if (path === undefined)
    return parked.length === 1 ? parked[0]! : `several steps are parked: say which one of ${names}`;
  return parked.find((each) => each.path === path || each.step === path) ?? `'${path}' is not parked: it is ${names}`;
}

function abort<State>(turn: Turn<State>, instance: SagaInstance<State>, { by, why }: AbortInput): Transition<State> {
  if (hasEnded(instance)) return { outcome: 'ignored', reason: `this saga is ${instance.status}` };
  turn.note('saga', ROOT, 'do', 'aborted', { by, why });
  const { parked: _parked, ...rest } = instance;
  return conclude(turn, { ...rest, status: 'aborted' }, { run: instance.run, farewell: instance.farewell });
}
