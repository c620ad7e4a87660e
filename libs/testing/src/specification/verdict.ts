import { deepStrictEqual } from 'node:assert';
import { inspect } from 'node:util';
import type { ObservedDecision } from './observed-decision.js';

/** What an error that was thrown is known by: its class, its message or a part of it, or the error itself. */
export type ThrownAs = string | RegExp | Error | (abstract new (...args: never[]) => Error);

/** What a test says of a decision. */
export class Verdict<A extends object, Event extends object, Refused, Answer> {
  /** @param refused what a refusal is compared with: what the method returned, or the decider's reason */
  constructor(
    private readonly label: string,
    private readonly aggregate: A,
    private readonly observed: ObservedDecision<Answer>,
    private readonly refused: Refused | undefined,
  ) {}

  /**
   * Exactly these events happen, in this order; none: nothing happens.
   *
   * @returns the aggregate as it then is, and what the decision answered, for a look at them
   */
  then(...events: readonly Event[]): { readonly aggregate: A; readonly answer: Answer } {
    const { thrown, answer } = this.observed;
    if (thrown) throw this.wrong(`throws ${inspect(thrown.error)}`, this.then, thrown.error);
    if (events.length > 0 && this.observed.events.length === 0) {
      throw this.wrong(`lets nothing happen; it answers ${inspect(answer)}`, this.then);
    }
    this.same(this.observed.events, events, 'lets something else happen', this.then);
    // It did not throw, so it has answered.
    return { aggregate: this.aggregate, answer: answer as Answer };
  }

  /**
   * Nothing happens, and this is why: the reason of a decider, what a method returned, or an error that it threw.
   */
  thenRefuses(why: Refused | ThrownAs): void {
    const { events, thrown } = this.observed;
    if (events.length > 0) throw this.wrong(`does not refuse: ${inspect(events)}`, this.thenRefuses);
    if (!thrown) return this.same(this.refused, why, 'refuses for another reason, or not at all', this.thenRefuses);
    if (!isKnownBy(thrown.error, why)) {
      throw this.wrong(`throws ${inspect(thrown.error)}, not ${inspect(why)}`, this.thenRefuses, thrown.error);
    }
  }

  private same(actual: unknown, expected: unknown, otherwise: string, caller: Caller): void {
    try {
      deepStrictEqual(actual, expected);
    } catch (error) {
      const { message } = error as Error;
      throw this.wrong(`${otherwise} (+ is, - expected):\n${message.slice(message.indexOf('\n\n') + 2)}`, caller);
    }
  }

  private wrong(what: string, caller: Caller, cause?: unknown): Error {
    const error = new Error(`${this.label} ${what}`, cause === undefined ? {} : { cause });
    // The stack begins at the line of the test.
    Error.captureStackTrace(error, caller);
    return error;
  }
}

function isKnownBy(error: unknown, why: unknown): boolean {
  if (typeof why === 'function') return error instanceof why;
  const message = error instanceof Error ? error.message : String(error);
  if (typeof why === 'string') return message.includes(why);
  if (why instanceof RegExp) return why.test(message);
  return (
    why instanceof Error && error instanceof Error && error.constructor === why.constructor && message === why.message
  );
}

// eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- as captureStackTrace declares it
type Caller = Function;
