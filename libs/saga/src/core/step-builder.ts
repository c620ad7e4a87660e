import { ConfigurationError, DEFAULT_RETRY } from '@millrace/broker';
import type { RetryPolicy } from '@millrace/broker';
import { contractOf } from '@millrace/messages';
import type { MessageClass } from '@millrace/messages';
import type { CommandPlan, ReplyHandler, StepDefinition } from './definition.js';
import { milliseconds } from './duration.js';
import type { Duration } from './duration.js';
import type { CompensationOptions } from './step.js';

/** Tried again with growing waits, never given up. The next step is decided without randomness, hence no jitter. */
export const UNTIL_DONE: RetryPolicy = { ...DEFAULT_RETRY, attempts: Infinity, jitter: 0 };
export const DEFAULT_WITHIN_MS = 30_000;
const COMPENSATION_WITHIN_MS = 10_000;
const COMPENSATION_ATTEMPTS = 10;
/** A step that met its deadline is tried again at once: the deadline was the wait. */
const AT_ONCE: RetryPolicy = { ...UNTIL_DONE, attempts: 1, delayMs: 0 };

interface Parts {
  readonly sends?: (state: never) => object;
  readonly undo?: CommandPlan<never>;
  readonly withinMs?: number;
  readonly retries?: number;
  readonly untilDone?: true;
}

/** Collects what is said about one step. Every call answers a new builder. */
export class StepBuilder {
  constructor(
    private readonly name: string,
    private readonly parts: Parts = {},
    private readonly replies: ReadonlyMap<string, ReplyHandler<never>> = new Map(),
  ) {}

  sends(sends: (state: never) => object): StepBuilder {
    return this.say({ sends });
  }

  onReply(reply: MessageClass, state: (state: never, reply: never) => never = (same) => same): StepBuilder {
    return this.handle(reply, false, { reply, succeeds: state as (state: never, reply: object) => never });
  }

  failsOn(reply: MessageClass, reason?: (state: never, reply: never) => string): StepBuilder {
    const refuses = (reason ?? (() => contractOf(reply).type)) as (state: never, reply: object) => string;
    return this.handle(reply, true, { reply, refuses });
  }

  compensates(command: (state: never) => object, options: CompensationOptions = {}): StepBuilder {
    const { within = COMPENSATION_WITHIN_MS, attempts = COMPENSATION_ATTEMPTS } = options;
    this.checkCount(attempts, 1, 'attempts of the compensation');
    const withinMs = milliseconds(within, `deadline of the compensation of step '${this.name}'`);
    return this.say({ undo: { command, withinMs, retry: { ...UNTIL_DONE, attempts } } });
  }

  within(deadline: Duration): StepBuilder {
    return this.say({ withinMs: milliseconds(deadline, `deadline of step '${this.name}'`) });
  }

  retries(retries: number): StepBuilder {
    this.checkCount(retries, 0, 'retries');
    return this.say({ retries });
  }

  untilDone(): StepBuilder {
    return this.say({ untilDone: true });
  }

  build(): StepDefinition<never> {
    const { sends, undo, withinMs = DEFAULT_WITHIN_MS, retries = 0, untilDone = false } = this.parts;
    if (!sends) throw this.wrong('sends nothing: give it a command with .sends(...)');
    const retry = untilDone ? UNTIL_DONE : { ...AT_ONCE, attempts: 1 + retries };
    return { name: this.name, command: { command: sends, withinMs, retry }, replies: this.replies, undo, untilDone };
  }

  private say(part: Parts): StepBuilder {
    const twice = Object.keys(part).find((key) => key in this.parts);
    if (twice) throw this.wrong(`says twice the same thing ('${twice}'): say it once`);
    return new StepBuilder(this.name, { ...this.parts, ...part }, this.replies);
  }

  private handle(reply: MessageClass, failure: boolean, handler: ReplyHandler<never>): StepBuilder {
    const contract = contractOf(reply);
    if (contract.kind !== 'reply') throw this.wrong(`handles ${contract.type}, which is no reply: use a @Reply class`);
    if (contract.failure !== failure) {
      const advice = failure ? 'which is a success: use .onReply' : 'which is a failure: use .failsOn';
      throw this.wrong(`handles ${contract.type}, ${advice}`);
    }
    if (this.replies.has(contract.type)) throw this.wrong(`handles ${contract.type} twice`);
    return new StepBuilder(this.name, this.parts, new Map(this.replies).set(contract.type, handler));
  }

  private checkCount(count: number, least: number, what: string): void {
    if (!Number.isInteger(count) || count < least) {
      throw this.wrong(`has ${count} ${what}: it must be a whole number of at least ${least}`);
    }
  }

  private wrong(what: string): ConfigurationError {
    return new ConfigurationError(`step '${this.name}' ${what}`);
  }
}
