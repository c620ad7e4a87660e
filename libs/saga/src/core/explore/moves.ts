import { contractOf } from '@millrace/messages';
import type { MessageClass } from '@millrace/messages';
import { formatCommandId } from '../command-id.js';
import { waitsOf } from '../definition.js';
import type { SagaDefinition } from '../definition.js';
import type { CallResult } from '../engine/signal.js';
import { hasEnded } from '../instance.js';
import type { SagaInstance } from '../instance.js';
import {
  ChildCompleted,
  ChildFailed,
  ChildNotUndone,
  ChildUndone,
  Locked,
  LockRefused,
  Unlocked,
} from '../internal-messages.js';
import { directionOf, openSteps, openWaits } from '../open-steps.js';
import type { BegunStep } from '../open-steps.js';
import { passedPivot } from '../pivot.js';
import type { SagaInput } from '../transition.js';
import type { Samples } from './samples.js';

/** Something that the world can do to a saga now. */
export interface Move {
  /** As a line of a script. */
  readonly text: string;
  readonly input: SagaInput;
  /** When it happens, ms since 1970. */
  readonly at: number;
  /** The world does its part: it answers, or time passes. */
  readonly helps: boolean;
  /** The step that a person decides about. */
  readonly parked?: string;
}

/** What the world does besides answering. */
export interface World {
  readonly samples: Samples;
  /** How often the same thing fails before it succeeds, if it is never given up. */
  readonly attempts: number;
  /** Whether a person may cancel the saga. */
  readonly cancels: boolean;
  /** Whether a person may decide about what is parked. */
  readonly people: boolean;
}

/** Everything that can happen to an instance at this moment. */
export function movesOf<State>(
  definition: SagaDefinition<State>,
  instance: SagaInstance<State>,
  now: number,
  world: World,
): readonly Move[] {
  if (hasEnded(instance)) return [];
  const steps = openSteps(definition, instance);
  const answers = steps.flatMap((step) => answersTo(instance, step, world));
  const moves = [...answers, ...eventsFor(definition, instance, world)].map((move) => ({ ...move, at: now }));
  return [...moves, ...timeFor(instance, steps, now, world), ...peopleFor(definition, instance, steps, now, world)];
}

type Timeless = Omit<Move, 'at'>;

// ── answers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function answersTo<State>(instance: SagaInstance<State>, step: BegunStep<State>, world: World): readonly Timeless[] {
  const { run, path, node } = step;
  if (run.phase === 'stuck') return [];
  const direction = directionOf(run);
  const { act, retry } = node[direction]!;
  const what = `'${node.name}'${where(path)}${direction === 'undo' ? ' undone' : ''}`;
  const outcomes = outcomesOf(instance.state, step, world).filter(
    // What is never given up fails so often only.
    ({ helps }) => helps || retry.attempts !== Infinity || run.attempt < world.attempts,
  );
  const to = (attempt: number, late: boolean): readonly Timeless[] => {
    const id = formatCommandId({ saga: instance.saga, id: instance.id, path, direction, attempt });
    return outcomes
      .filter(({ helps }) => helps || !late)
      .map(({ text, helps, reply, result }) => ({
        text: `${what}${late ? `, attempt ${attempt}, late` : ''}: ${text}`,
        helps: helps && !late,
        input: reply ? replyInput(id, reply) : { kind: 'called', callId: id, result: result! },
      }));
  };
  const late = run.waiting ? run.attempt : run.attempt - 1;
  return [...(run.waiting ? [] : to(run.attempt, false)), ...(late > 0 && act.kind !== 'call' ? to(late, true) : [])];
}

/** Where a step stands that is inside of another node; operations of code have names of their own. */
function where(path: string): string {
  return path.split('.').length > 2 ? ` (${path})` : '';
}

interface Outcome {
  readonly text: string;
  readonly helps: boolean;
  readonly reply?: Reply;
  readonly result?: CallResult;
}

interface Reply {
  readonly type: string;
  readonly outcome: 'success' | 'failure';
  readonly data: object;
}

function outcomesOf<State>(state: State, step: BegunStep<State>, { samples }: World): readonly Outcome[] {
  const { node, run, item } = step;
  const direction = directionOf(run);
  const act = node[direction]!.act;
  switch (act.kind) {
    case 'call':
      return callOutcomes(samples.answersOf(node.name), direction === 'do' && !node.untilDone);
    case 'child':
      return [
        ...samples.answersOf(node.name).map((state) => replied(new ChildCompleted(plain(state)))),
        replied(new ChildFailed('refused')),
      ];
    case 'undo-child':
      return [replied(new ChildUndone()), replied(new ChildNotUndone('too late'))];
    case 'lock':
      return [replied(new Locked()), ...(act.otherwise === 'fail' ? [replied(new LockRefused('another/saga'))] : [])];
    case 'unlock':
      return [replied(new Unlocked())];
    case 'send':
      if (node.anyReply && direction === 'do') {
        const given = samples.repliesTo(node.name, act.make(state, item));
        return [...given.map(answered), ...unwilling(step)];
      }
      return direction === 'undo' || node.replies.size === 0
        ? untyped()
        : [
            ...[...node.replies.values()].flatMap(({ reply }) => (reply ? typed(reply, samples) : [])),
            ...unwilling(step),
          ];
  }
}

function callOutcomes(values: readonly unknown[], refuses: boolean): readonly Outcome[] {
  const answered = values.map((value) => ({ status: 'answered', value }) as const);
  return [
    ...answered.map((result) => ({ text: 'the function answers', helps: true, result })),
    ...(refuses
      ? [{ text: 'the function refuses', helps: true, result: { status: 'refused', reason: 'no' } as const }]
      : []),
    { text: 'the function throws', helps: false, result: { status: 'failed', reason: 'broken', retryable: true } },
    {
      text: 'the function throws for good',
      helps: false,
      result: { status: 'failed', reason: 'broken', retryable: false },
    },
  ];
}

function typed(type: MessageClass, samples: Samples): readonly Outcome[] {
  return samples.of(type).map(answered);
}

/** A refusal is an answer, too: the saga gets on by it. */
function answered(data: object): Outcome {
  const { type, failure } = contractOf(data);
  return { text: `answered ${type}`, helps: true, reply: { type, outcome: failure ? 'failure' : 'success', data } };
}

/** After the pivot a participant may still say no, whatever its types say. */
function unwilling<State>({ node }: BegunStep<State>): readonly Outcome[] {
  return node.untilDone ? untyped().filter(({ helps }) => !helps) : [];
}

/** Only the outcome counts. */
function untyped(): readonly Outcome[] {
  return [
    { text: 'succeeds', helps: true, reply: { type: 'any.success', outcome: 'success', data: {} } },
    { text: 'fails', helps: false, reply: { type: 'any.failure', outcome: 'failure', data: {} } },
  ];
}

function replied(data: object): Outcome {
  return { ...answered(data), helps: !(data instanceof ChildNotUndone) };
}

function replyInput(inReplyTo: string, reply: Reply): SagaInput {
  return { kind: 'reply', inReplyTo, ...reply };
}

/** As it would come from another process. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown);
}

// ── events, time, people ────────────────────────────────────────────────────────────────────────────────────────────

/** An event comes when it is waited for, or once before. */
function eventsFor<State>(
  definition: SagaDefinition<State>,
  instance: SagaInstance<State>,
  { samples }: World,
): readonly Timeless[] {
  const classes = new Map(waitsOf(definition).map(({ event }) => [contractOf(event).type, event]));
  const waited = new Set(openWaits(definition, instance).map(({ node }) => contractOf(node.event).type));
  return [...classes].flatMap(([type, event]) => {
    const known = instance.early?.some((early) => early.type === type);
    const early = !waited.has(type);
    if (instance.run.back || (early && known)) return [];
    return samples.of(event).map((data) => ({
      text: `${type} happens${early ? ' early' : ''}`,
      helps: !early,
      input: { kind: 'event', type, data } as const,
    }));
  });
}

function timeFor<State>(
  { wakeAt }: SagaInstance<State>,
  steps: readonly BegunStep<State>[],
  now: number,
  { attempts }: World,
): readonly Move[] {
  if (wakeAt === undefined) return [];
  const endless = steps.some(({ run, node }) => {
    const { retry } = node[directionOf(run)]!;
    return (
      run.due !== undefined &&
      run.due <= wakeAt &&
      !run.waiting &&
      retry.attempts === Infinity &&
      run.attempt >= attempts
    );
  });
  const due = steps.filter(({ run }) => run.due !== undefined && run.due <= wakeAt);
  const names = due.map(({ node, run }) => `'${node.name}' ${run.waiting ? 'is tried again' : 'gets no answer'}`);
  const text = names.length > 0 ? names.join(', ') : 'what it waits for is due';
  return endless
    ? []
    : [{ text: `time passes: ${text}`, input: { kind: 'wake' }, at: Math.max(now, wakeAt), helps: true }];
}

function peopleFor<State>(
  definition: SagaDefinition<State>,
  instance: SagaInstance<State>,
  steps: readonly BegunStep<State>[],
  now: number,
  { cancels, people, attempts }: World,
): readonly Move[] {
  const person = { by: 'somebody', why: 'explored' };
  const may = instance.status === 'running' && !instance.run.back && !passedPivot(definition, instance);
  const cancel: Move = { text: 'cancelled', input: { kind: 'cancel', ...person }, at: now, helps: false };
  const decisions = steps.flatMap(({ run, node, path }): readonly Move[] => {
    if (run.phase !== 'stuck') return [];
    const kinds = run.attempt > attempts ? (['skip', 'resolve'] as const) : (['retry', 'skip', 'resolve'] as const);
    return kinds.map((kind) => ({
      text: `a person decides: ${kind} '${node.name}'${where(path)}`,
      input: { kind, path, ...person },
      at: now,
      helps: false,
      parked: path,
    }));
  });
  return [...(cancels && may ? [cancel] : []), ...(people ? decisions : [])];
}
