import { deepStrictEqual } from 'node:assert';
import { inspect } from 'node:util';
import { contractOf } from '@millrace/messages';
import type { SagaDefinition } from './definition.js';
import { isOver } from './instance.js';
import type { SagaInstance } from './instance.js';
import { next } from './next.js';
import { definitionOf } from './saga-class.js';
import type { SagaHolder } from './saga-class.js';
import type { SendAction, SagaInput } from './transition.js';

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
 */
export function scenario<State>(saga: SagaDefinition<State> | (new () => SagaHolder<State>)): Scenario<State> {
  return new Scenario(typeof saga === 'function' ? definitionOf(new saga()) : saga);
}

/** What a test does with a saga that has sent a command, or has ended. */
export class Scenario<State> {
  private instance: SagaInstance<State> | undefined;
  /** The command in flight that no `expect` has seen. */
  private sent: SendAction | undefined;
  /** The id of the last command. */
  private last: string | undefined;
  private now = 0;

  constructor(private readonly definition: SagaDefinition<State>) {}

  /** Starts the saga with its event. */
  given(event: object): this {
    if (this.instance) throw this.wrong('is given a second event: a scenario plays one instance', this.given);
    const { on, id } = this.definition.start;
    const starts = on && contractOf(on).type;
    const { type } = contractOf(event);
    if (type !== starts) throw this.wrong(`starts on ${starts ?? 'a call'}, not on ${type}`, this.given);
    return this.play({ kind: 'start', id: id(event), input: event }, this.given);
  }

  /** The saga has sent exactly this command: same class, same data. */
  expect(command: object): this {
    if (!this.sent) throw this.wrong(`should send ${inspect(command)}, but it ${this.situation()}`, this.expect);
    try {
      deepStrictEqual(this.sent.command, command);
    } catch (error) {
      const { message } = error as Error;
      const difference = message.slice(message.indexOf('\n\n') + 2);
      throw this.wrong(`sends something else (+ sent, - expected):\n${difference}`, this.expect);
    }
    this.sent = undefined;
    return this;
  }

  /** The participant answers the expected command. */
  reply(reply: object): this {
    const { type, failure } = contractOf(reply);
    const inReplyTo = this.awaited(`should be answered with ${inspect(reply)}`, this.reply);
    return this.play(
      { kind: 'reply', inReplyTo, outcome: failure ? 'failure' : 'success', type, data: reply },
      this.reply,
    );
  }

  /** Nobody answers the expected command within its deadline. */
  timesOut(): this {
    this.awaited('should time out', this.timesOut);
    this.now = this.instance!.wakeAt!;
    return this.play({ kind: 'wake' }, this.timesOut);
  }

  /** The saga has ended so, and nothing is left to send. Answers the instance, for a look at its state and history. */
  ends(outcome: 'completed' | 'compensated'): SagaInstance<State> {
    return this.finishes(outcome, this.ends);
  }

  /** A compensation was given up, and the saga waits for a person. */
  parks(): SagaInstance<State> {
    return this.finishes('parked', this.parks);
  }

  private finishes(status: SagaInstance['status'], caller: Caller): SagaInstance<State> {
    if (this.instance?.status === status) return this.instance;
    throw this.wrong(`should be ${status} here, but it ${this.situation()}`, caller);
  }

  /** The id of the command in flight, which the script has to have expected. */
  private awaited(what: string, caller: Caller): string {
    if (!this.instance || isOver(this.instance)) throw this.wrong(`${what}, but it ${this.situation()}`, caller);
    if (this.sent) throw this.wrong(`${what}, but first expect(...) what it ${this.situation()}`, caller);
    return this.last!;
  }

  private play(input: SagaInput, caller: Caller): this {
    const transition = next(this.definition, this.instance, input, { now: this.now });
    if (transition.outcome !== 'moved') throw this.wrong(`ignores this: ${transition.reason}`, caller);
    // Stored as JSON between two inputs, so a state that JSON cannot hold shows here.
    this.instance = JSON.parse(JSON.stringify(transition.instance)) as SagaInstance<State>;
    for (const action of transition.actions) {
      if (action.kind !== 'send') continue;
      this.sent = action;
      this.last = action.id;
    }
    if (isOver(this.instance) || this.sent) return this;
    // Between two attempts nobody can say anything: time passes.
    this.now = this.instance.wakeAt!;
    return this.play({ kind: 'wake' }, caller);
  }

  private situation(): string {
    if (!this.instance) return 'has not been given its event';
    if (this.sent) return `sends ${inspect(this.sent.command)}`;
    if (isOver(this.instance)) return `is ${this.instance.status}`;
    return `waits for an answer to ${this.last}`;
  }

  private wrong(what: string, caller: Caller): Error {
    const error = new Error(`saga '${this.definition.name}' ${what}`);
    // The stack begins at the line of the script.
    Error.captureStackTrace(error, caller);
    return error;
  }
}

// eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- as captureStackTrace declares it
type Caller = Function;
