import { deepStrictEqual } from 'node:assert';
import { inspect, isDeepStrictEqual } from 'node:util';
import { ConfigurationError } from '@millrace/broker';
import { contractOf } from '@millrace/messages';
import type { RepliesOf } from '@millrace/messages';
import { codeOf, waitsOf } from './definition.js';
import { milliseconds } from './dsl/duration.js';
import type { Duration } from './dsl/duration.js';
import type { CallResult } from './engine/signal.js';
import { hasEnded, isOver } from './instance.js';
import type { SagaInstance } from './instance.js';
import {
  ChildCompleted,
  ChildFailed,
  ChildNotUndone,
  ChildUndone,
  Locked,
  LockRefused,
  Unlocked,
} from './internal-messages.js';
import { KnownCourses } from './code/known-courses.js';
import { playableDefinition } from './playable-saga.js';
import type { PlayableAtOnce, PlayableSaga } from './playable-saga.js';
import { PlayedSaga } from './scenario/played-saga.js';
import type { PlayedInput, Request } from './scenario/played-saga.js';
import { Wrong } from './scenario/wrong.js';
import type { Caller } from './scenario/wrong.js';
import type { SagaInput } from './transition.js';

/** When a script begins. */
export interface ScenarioOptions {
  /** ms since 1970. Default 0 */
  readonly now?: number;
}

/**
 * Plays a script that it is given, also of a saga in code. Such code takes a moment to run: each time the script comes to where
 * it has not been run yet, the script is left, and read again from its beginning. So it says what happens, and does nothing else.
 *
 * ```ts
 * await scenario(BookTrip, (trip) =>
 *   trip.given(requested).calls('book room').answers({ id: 'r1' }).isCancelled().callsToUndo('book room').answers().ends('compensated'),
 * );
 * ```
 *
 * @returns what the script answers
 */
export function scenario<State, Answer>(
  saga: PlayableSaga<State>,
  script: (saga: Scenario<State>) => Answer | Promise<Answer>,
  options?: ScenarioOptions,
): Promise<Answer>;
/**
 * Plays a saga against a script of replies, without infrastructure and without waiting: time passes when the script
 * says so. The first line that does not hold throws an Error with the difference.
 *
 * ```ts
 * scenario(PlaceOrder)
 *   .given(new OrderPlaced('4711', 990))
 *   .expect(new ReserveStock('4711')).reply(new OutOfStock('tea'))
 *   .expect(new RejectOrder('4711', 'no tea left')).reply(new OrderRejected('4711'))
 *   .ends('compensated');
 * ```
 *
 * @throws ConfigurationError for a saga in code: that takes a moment, so its script is given to `scenario`
 */
export function scenario<State>(saga: PlayableAtOnce<State>, options?: ScenarioOptions): Scenario<State>;
export function scenario<State>(
  saga: PlayableSaga<State>,
  script: ScenarioOptions | ((saga: Scenario<State>) => unknown) = {},
  options: ScenarioOptions = {},
): unknown {
  const definition = playableDefinition(saga);
  if (typeof script === 'function') {
    const courses = new KnownCourses();
    return courses.whenKnown(() => script(new Scenario(new PlayedSaga(definition, options.now ?? 0, courses))));
  }
  if (codeOf(definition)) {
    throw new ConfigurationError(
      `saga '${definition.name}' is written as code, which takes a moment to run: await scenario(saga, (saga) => saga.given(...))`,
    );
  }
  return new Scenario(new PlayedSaga(definition, script.now ?? 0));
}

/** What can answer the command that was expected last: its replies, where its class says them. */
export type AnswerTo<Expected> = [Expected] extends [never]
  ? object
  : [RepliesOf<Expected>] extends [never]
    ? object
    : unknown extends RepliesOf<Expected>
      ? object
      : RepliesOf<Expected>;

/** What a test does with a saga that has asked for something, or has ended. */
export class Scenario<State, Expected = never> {
  /** What the script is about: the last request that it has expected. */
  private last: Request | undefined;
  private readonly seen: Request[] = [];
  private readonly children = new Map<string, Scenario<unknown>>();

  constructor(private readonly saga: PlayedSaga<State>) {}

  // ── how it begins ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** Starts the saga with its event or command. */
  given(message: object): this {
    const { start } = this.saga.definition;
    if (this.instance) throw this.wrong('is given a second event: a scenario plays one instance', this.given);
    const { type, kind } = contractOf(message);
    const starts = start.on && contractOf(start.on).type;
    if (type !== starts) throw this.wrong(`starts on ${starts ?? 'a call'}, not on ${type}`, this.given);
    const asker = kind === 'command' ? { asker: { replyto: 'scenario/0', commandId: 'scenario' } } : {};
    return this.play({ kind: 'start', id: start.id(message), input: message, ...asker }, this.given);
  }

  /**
   * Starts a saga that is started by a call.
   *
   * @param id of the instance. Default: what the definition makes of the input
   */
  calledWith(input: object, id?: string): this {
    const { start } = this.saga.definition;
    if (this.instance) throw this.wrong('is called a second time: a scenario plays one instance', this.calledWith);
    if (start.on) throw this.wrong(`starts on ${contractOf(start.on).type}: use given(...)`, this.calledWith);
    return this.play({ kind: 'start', id: id ?? start.id(input), input }, this.calledWith);
  }

  // ── commands ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The saga has sent exactly this command: same class, same data. Of several, in any order. */
  expect<C extends object>(command: C): Scenario<State, C> {
    const sent = this.saga.unseen.filter((each) => each.kind === 'send');
    if (sent.length === 0) throw this.wrong(`should send ${inspect(command)}, but it ${this.situation}`, this.expect);
    const found = sent.find((each) => isDeepStrictEqual(each.command, command));
    if (!found) {
      const alike = sent.find((each) => each.command.constructor === command.constructor) ?? sent[0]!;
      const others = sent.length === 1 ? '' : `\nIt sends ${sent.map((each) => inspect(each.command)).join(', ')}`;
      throw this.wrong(
        `sends something else (+ sent, - expected):\n${difference(alike.command, command)}${others}`,
        this.expect,
      );
    }
    return this.look(found) as unknown as Scenario<State, C>;
  }

  /** The participant answers the expected command. */
  reply(reply: AnswerTo<Expected>): this {
    const what = `should be answered with ${inspect(reply)}`;
    return this.answer(this.awaited(what, ['send'], this.reply), reply as object, this.reply);
  }

  /** The participant answers a command that was expected before. */
  replyTo<C extends object>(command: C, reply: AnswerTo<C>): this {
    return this.answer(this.expected(command, this.replyTo), reply as object, this.replyTo);
  }

  /** Nobody answers the expected command, or the given one of those that were expected, within its deadline. */
  timesOut(command?: object): this {
    const request = command
      ? this.expected(command, this.timesOut)
      : this.awaited('should time out', [], this.timesOut);
    if (request.kind === 'call') {
      return this.result(
        { status: 'failed', reason: `no answer within ${request.withinMs} ms`, retryable: true },
        this.timesOut,
      );
    }
    const due = this.saga.stepOf(request.id!)?.run.due;
    if (due === undefined) throw this.wrong(`has no deadline for ${nameOf(request)}`, this.timesOut);
    this.saga.passUntil(due);
    return this.settle();
  }

  // ── local functions ───────────────────────────────────────────────────────────────────────────────────────────────

  /** The function of a step is called; the script says what it answers. @param item the one inside `each` */
  calls(step: string, item?: unknown): this {
    return this.called(step, 'do', item, this.calls);
  }

  /** The function that undoes a step is called. */
  callsToUndo(step: string, item?: unknown): this {
    return this.called(step, 'undo', item, this.callsToUndo);
  }

  /** The function answers. */
  answers(value?: unknown): this {
    return this.result({ status: 'answered', value }, this.answers);
  }

  /** The function says no. */
  refuses(reason: string): this {
    return this.result({ status: 'refused', reason }, this.refuses);
  }

  /** The function throws. @param options.retryable whether trying again may help. Default true */
  throws(reason: string | Error, { retryable = true }: { readonly retryable?: boolean } = {}): this {
    const text = typeof reason === 'string' ? reason : reason.message;
    return this.result({ status: 'failed', reason: text, retryable }, this.throws);
  }

  // ── children ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The saga of this name is started, with exactly this input if one is given. */
  startsChild(saga: string, input?: object): this {
    const fits = (each: Request) =>
      each.kind === 'start-child' &&
      each.saga === saga &&
      (input === undefined || isDeepStrictEqual(each.input, input));
    return this.seek(fits, `should start saga '${saga}'${input ? ` with ${inspect(input)}` : ''}`, this.startsChild);
  }

  /** The child completes, with this state. */
  completes(state: unknown = {}): this {
    return this.told('start-child', new ChildCompleted(state), this.completes);
  }

  /** The child ends compensated. */
  fails(reason: string): this {
    return this.told('start-child', new ChildFailed(reason), this.fails);
  }

  /** The saga of this name is to be undone. */
  undoesChild(saga: string): this {
    const fits = (each: Request) => each.kind === 'undo-child' && each.saga === saga;
    return this.seek(fits, `should undo saga '${saga}'`, this.undoesChild);
  }

  /** The child is undone. */
  isUndone(): this {
    return this.told('undo-child', new ChildUndone(), this.isUndone);
  }

  /** The child cannot be undone. */
  isNotUndone(reason: string): this {
    return this.told('undo-child', new ChildNotUndone(reason), this.isNotUndone);
  }

  /**
   * The child that was started, or is to be undone, is played along; the saga is told how it ends, if it does. Its time is
   * that of the saga when the script comes here.
   */
  plays<Child>(child: PlayableSaga<Child>, script: (child: Scenario<Child>) => unknown): this {
    const request = this.awaited('should play a child', ['start-child', 'undo-child'], this.plays);
    if (request.kind !== 'start-child' && request.kind !== 'undo-child') return this;
    const asker = { replyto: 'scenario/0', commandId: request.id, parent: true } as const;
    const known = this.children.get(request.child);
    const played =
      (known as Scenario<Child> | undefined) ??
      new Scenario(new PlayedSaga(playableDefinition(child), this.saga.now, this.saga.courses));
    this.children.set(request.child, played as Scenario<unknown>);
    played.saga.now = Math.max(played.saga.now, this.saga.now);
    if (request.kind === 'start-child') {
      if (!known) played.play({ kind: 'start', id: request.child, input: request.input, asker }, this.plays);
    } else {
      const refusal = played.saga.play({ kind: 'undo', asker });
      if (refusal !== undefined) return this.answer(request, new ChildNotUndone(refusal), this.plays);
    }
    script(played);
    const told = played.saga.said.find((each) => each.kind === 'answer' && each.to.commandId === request.id);
    return told?.kind === 'answer' ? this.answer(request, told.reply, this.plays) : this;
  }

  // ── locks ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The saga wants this key. */
  locks(key: string): this {
    return this.seek((each) => each.kind === 'lock' && each.key === key, `should lock '${key}'`, this.locks);
  }

  /** It gets the key. */
  isGranted(): this {
    return this.told('lock', new Locked(), this.isGranted);
  }

  /** Another saga has the key. */
  isTaken(holder = 'another/saga'): this {
    return this.told('lock', new LockRefused(holder), this.isTaken);
  }

  /** The saga turns round, gives this key back, and is told so. */
  unlocks(key: string): this {
    this.seek((each) => each.kind === 'unlock' && each.key === key, `should unlock '${key}'`, this.unlocks);
    return this.told('unlock', new Unlocked(), this.unlocks);
  }

  // ── events and time ───────────────────────────────────────────────────────────────────────────────────────────────

  /** An event that the saga waits for, or will wait for. */
  happens(event: object): this {
    const { type } = contractOf(event);
    const { definition } = this.saga;
    const instance = this.begun(`should see ${type}`, this.happens);
    const waits = waitsOf(definition).filter((wait) => contractOf(wait.event).type === type);
    if (waits.length === 0) throw this.wrong(`never waits for ${type}`, this.happens);
    const id = waits[0]!.id(event);
    if (id !== instance.id) {
      throw this.wrong(`has the id ${inspect(instance.id)}, and ${type} is for ${inspect(id)}`, this.happens);
    }
    return this.play({ kind: 'event', type, data: event }, this.happens);
  }

  /** So much time passes; what is due meanwhile happens. */
  after(duration: Duration): this {
    this.begun(`should see ${duration} pass`, this.after);
    this.saga.passUntil(this.saga.now + milliseconds(duration, 'the time that passes'));
    return this.settle();
  }

  /** The deadline of the whole saga passes. */
  meetsItsDeadline(): this {
    const { deadline } = this.begun('should meet its deadline', this.meetsItsDeadline);
    if (deadline === undefined)
      throw this.wrong('has no deadline: give it one with .within(...)', this.meetsItsDeadline);
    this.saga.passUntil(deadline);
    return this.settle();
  }

  // ── people ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A person turns the saga round. */
  isCancelled(why = 'cancelled', by = 'somebody'): this {
    return this.play({ kind: 'cancel', by, why }, this.isCancelled);
  }

  /** This step was given up, and the saga waits for a person. The script goes on with what the person decides. */
  parksAt(step: string): this {
    if (this.instance?.parked?.some((each) => each.step === step)) return this;
    throw this.wrong(`should be parked at '${step}', but it ${this.situation}`, this.parksAt);
  }

  /** A person has a parked step tried again. @param step which one, if there are several */
  isRetried(step?: string, why = 'retried', by = 'somebody'): this {
    return this.play({ kind: 'retry', by, why, ...(step === undefined ? {} : { path: step }) }, this.isRetried);
  }

  /** A person leaves a parked step as it is. @param step which one, if there are several */
  isSkipped(step?: string, why = 'skipped', by = 'somebody'): this {
    return this.play({ kind: 'skip', by, why, ...(step === undefined ? {} : { path: step }) }, this.isSkipped);
  }

  /** A person has done, or undone, what a parked step could not. @param options.state the state from now on */
  isResolved(
    step?: string,
    options: { readonly state?: State; readonly why?: string; readonly by?: string } = {},
  ): this {
    const { why = 'resolved', by = 'somebody' } = options;
    const path = step === undefined ? {} : { path: step };
    const state = 'state' in options ? { state: options.state } : {};
    return this.play({ kind: 'resolve', by, why, ...path, ...state }, this.isResolved);
  }

  /** A person ends the saga as it is. */
  isAborted(why = 'aborted', by = 'somebody'): this {
    return this.play({ kind: 'abort', by, why }, this.isAborted);
  }

  // ── how it ends ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** The saga has said exactly this: an event, a command whose answer nobody waits for, or the reply to who started it. */
  says(message: object): this {
    const said = this.saga.said.map((each) => (each.kind === 'publish' ? each.message : each.reply));
    const at = said.findIndex((each) => isDeepStrictEqual(each, message));
    if (at < 0) {
      const what =
        said.length === 0
          ? `should say ${inspect(message)}, but it has said nothing and ${this.situation}`
          : `says something else (+ said, - expected):\n${difference(said[0], message)}`;
      throw this.wrong(what, this.says);
    }
    this.saga.said = this.saga.said.toSpliced(at, 1);
    return this;
  }

  /** The saga has ended so, and nothing is left to send. Answers the instance, for a look at its state and history. */
  ends(outcome: 'completed' | 'compensated' | 'aborted'): SagaInstance<State> {
    return this.finishes(outcome, this.ends);
  }

  /** A step was given up, and the saga waits for a person. */
  parks(): SagaInstance<State> {
    return this.finishes('parked', this.parks);
  }

  /** Everything that was played, for those who play it again elsewhere. */
  get played(): readonly PlayedInput[] {
    return this.saga.played;
  }

  private get instance(): SagaInstance<State> | undefined {
    return this.saga.instance;
  }

  private finishes(status: SagaInstance['status'], caller: Caller): SagaInstance<State> {
    if (this.instance?.status === status) return this.instance;
    throw this.wrong(`should be ${status} here, but it ${this.situation}`, caller);
  }

  private begun(what: string, caller: Caller): SagaInstance<State> {
    if (this.instance && !hasEnded(this.instance)) return this.instance;
    throw this.wrong(`${what}, but it ${this.situation}`, caller);
  }

  private called(step: string, direction: 'do' | 'undo', item: unknown, caller: Caller): this {
    const fits = (each: Request) => {
      if (each.kind !== 'call' || !each.id.includes(`/${direction}/`)) return false;
      if (item !== undefined && !isDeepStrictEqual(each.item, item)) return false;
      return this.saga.stepOf(each.id)!.node.name === step;
    };
    return this.seek(fits, `should call the function ${direction === 'undo' ? 'that undoes' : 'of'} '${step}'`, caller);
  }

  private seek(fits: (request: Request) => boolean, what: string, caller: Caller): this {
    const found = this.saga.unseen.find(fits);
    if (!found) throw this.wrong(`${what}, but it ${this.situation}`, caller);
    return this.look(found);
  }

  private look(request: Request): this {
    this.saga.unseen = this.saga.unseen.filter((each) => each !== request);
    this.seen.push(request);
    this.last = request;
    return this;
  }

  /** The request that the script has expected last, which is still open. */
  private awaited(what: string, kinds: readonly Request['kind'][], caller: Caller): Request {
    const { last, saga, instance } = this;
    if (!instance || isOver(instance)) throw this.wrong(`${what}, but it ${this.situation}`, caller);
    if (last && saga.isOpen(last.id!) && (kinds.length === 0 || kinds.includes(last.kind))) return last;
    const [first] = saga.unseen;
    throw this.wrong(`${what}, but ${first ? 'first expect(...) what ' : ''}it ${this.situation}`, caller);
  }

  private expected(command: object, caller: Caller): Request {
    const known = this.seen.filter((each) => each.kind === 'send' && isDeepStrictEqual(each.command, command));
    const found = known.findLast(({ id }) => this.saga.isOpen(id!));
    if (found) return found;
    const why = known.length > 0 ? 'which is not open any more' : 'which the script has not expected';
    throw this.wrong(`should get an answer to ${inspect(command)}, ${why}: it ${this.situation}`, caller);
  }

  private answer(request: Request, reply: object, caller: Caller): this {
    const { type, failure } = contractOf(reply);
    const outcome = failure ? 'failure' : 'success';
    return this.play({ kind: 'reply', inReplyTo: request.id!, outcome, type, data: reply }, caller);
  }

  private told(kind: Request['kind'], reply: object, caller: Caller): this {
    return this.answer(this.awaited(`should be told ${inspect(reply)}`, [kind], caller), reply, caller);
  }

  private result(result: CallResult, caller: Caller): this {
    const { id } = this.awaited(`should be told how a function ends`, ['call'], caller);
    return this.play({ kind: 'called', callId: id!, result }, caller);
  }

  private play(input: SagaInput, caller: Caller): this {
    const refusal = this.saga.play(input);
    if (refusal !== undefined) throw this.wrong(`ignores this: ${refusal}`, caller);
    return this.settle();
  }

  private settle(): this {
    this.saga.skipPauses();
    return this;
  }

  private get situation(): string {
    const { instance, saga } = this;
    if (!instance) return 'has not been given its event';
    if (saga.unseen.length > 0)
      return saga.unseen.map((each) => told(each, saga.stepOf(each.id!)?.node.name)).join(', ');
    if (isOver(instance))
      return `is ${instance.status}${(instance.parked ?? []).map(({ step }) => ` at '${step}'`).join()}`;
    const open = this.seen.filter(({ id }) => saga.isOpen(id!));
    return open.length > 0
      ? `waits for an answer to ${open.map(({ id }) => id).join(', ')}`
      : 'waits for an event, or for time to pass';
  }

  private wrong(what: string, caller: Caller): Error {
    return new Wrong(`saga '${this.saga.definition.name}' ${what}`, caller);
  }
}

function difference(actual: unknown, expected: unknown): string {
  try {
    deepStrictEqual(actual, expected);
    return '';
  } catch (error) {
    const { message } = error as Error;
    return message.slice(message.indexOf('\n\n') + 2);
  }
}

function nameOf(request: Request): string {
  return request.kind === 'send' ? inspect(request.command) : request.id!;
}

/** What a saga does that the script has not expected yet. */
function told(request: Request, step = ''): string {
  switch (request.kind) {
    case 'send':
      return `sends ${inspect(request.command)}`;
    case 'call':
      return `calls the function ${request.id.includes('/undo/') ? 'that undoes' : 'of'} '${step}'`;
    case 'start-child':
      return `starts saga '${request.saga}' with ${inspect(request.input)}`;
    case 'undo-child':
      return `undoes saga '${request.saga}'`;
    default:
      return `${request.kind}s '${request.key}'`;
  }
}
