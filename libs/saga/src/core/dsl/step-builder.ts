import { ConfigurationError } from '@millrace/broker';
import { contractOf } from '@millrace/messages';
import type { MessageClass } from '@millrace/messages';
import type { Call } from '../call.js';
import type { Act, Plan, ReplyHandler, StepNode } from '../definition.js';
import {
  AT_ONCE,
  CALL_ATTEMPTS,
  COMPENSATION_ATTEMPTS,
  COMPENSATION_WITHIN_MS,
  STEP_WITHIN_MS,
  UNTIL_DONE,
} from '../patience.js';
import { milliseconds } from './duration.js';
import type { Duration } from './duration.js';
import type { CompensationOptions, UntilDoneOptions } from './step.js';

interface Parts {
  readonly acts?: Acts;
  readonly undo?: { readonly how: never; readonly options: CompensationOptions };
  readonly withinMs?: number;
  readonly retries?: number;
  readonly untilDone?: { readonly attempts: number };
}

type Acts =
  | { readonly kind: 'send'; readonly make: (state: never, item: never) => object }
  | { readonly kind: 'call'; readonly work: (state: never, call: Call<never>) => unknown };

/** The reply of a local function has no type. */
export const RESULT = '';

/** Collects what is said about one step. Every call answers a new builder. */
export class StepBuilder {
  constructor(
    private readonly name: string,
    private readonly parts: Parts = {},
    private readonly replies: ReadonlyMap<string, ReplyHandler<never>> = new Map(),
  ) {}

  sends(make: (state: never, item: never) => object): StepBuilder {
    return this.say({ acts: { kind: 'send', make } });
  }

  calls(work: (state: never, call: Call<never>) => unknown): StepBuilder {
    return this.say({ acts: { kind: 'call', work } });
  }

  onReply(
    reply: MessageClass,
    state: (state: never, reply: never, item: never) => never = (same) => same,
  ): StepBuilder {
    return this.handle(reply, false, { reply, succeeds: state as ReplyMapper });
  }

  onResult(state: (state: never, result: never, item: never) => never): StepBuilder {
    if (this.replies.has(RESULT)) throw this.wrong(`says twice the same thing ('onResult'): say it once`);
    const handler: ReplyHandler<never> = { reply: undefined, succeeds: state as ReplyMapper };
    return new StepBuilder(this.name, this.parts, new Map(this.replies).set(RESULT, handler));
  }

  failsOn(reply: MessageClass, reason?: (state: never, reply: never, item: never) => string): StepBuilder {
    const refuses = reason ?? (() => contractOf(reply).type);
    return this.handle(reply, true, {
      reply,
      refuses: refuses as (state: never, reply: object, item: unknown) => string,
    });
  }

  compensates(how: never, options: CompensationOptions = {}): StepBuilder {
    return this.say({ undo: { how, options } });
  }

  within(deadline: Duration): StepBuilder {
    return this.say({ withinMs: milliseconds(deadline, `deadline of step '${this.name}'`) });
  }

  retries(retries: number): StepBuilder {
    this.checkCount(retries, 0, 'retries');
    return this.say({ retries });
  }

  untilDone({ attempts = Infinity }: UntilDoneOptions = {}): StepBuilder {
    if (attempts !== Infinity) this.checkCount(attempts, 1, 'attempts');
    return this.say({ untilDone: { attempts } });
  }

  build(): StepNode<never> {
    const { acts, withinMs = STEP_WITHIN_MS, untilDone } = this.parts;
    if (!acts) throw this.wrong('sends nothing: give it a command with .sends(...), or a function with .calls(...)');
    return {
      kind: 'step',
      name: this.name,
      do: this.plan(acts, withinMs),
      replies: this.replies,
      undo: this.undoing(acts.kind),
      untilDone: untilDone !== undefined,
    };
  }

  private plan(acts: Acts, withinMs: number): Plan<never> {
    const { retries, untilDone } = this.parts;
    if (untilDone) return { act: actOf(acts, withinMs), withinMs, retry: { ...UNTIL_DONE, ...untilDone } };
    const retry =
      acts.kind === 'send'
        ? { ...AT_ONCE, attempts: 1 + (retries ?? 0) }
        : { ...UNTIL_DONE, attempts: retries === undefined ? CALL_ATTEMPTS : 1 + retries };
    return { act: actOf(acts, withinMs), withinMs, retry };
  }

  /** A step that sends is undone by a command, one that calls by a function. */
  private undoing(kind: Acts['kind']): Plan<never> | undefined {
    const { undo } = this.parts;
    if (!undo) return undefined;
    const { within = COMPENSATION_WITHIN_MS, attempts = COMPENSATION_ATTEMPTS } = undo.options;
    this.checkCount(attempts, 1, 'attempts of the compensation');
    const withinMs = milliseconds(within, `deadline of the compensation of step '${this.name}'`);
    const acts: Acts = kind === 'send' ? { kind, make: undo.how } : { kind, work: undo.how };
    return { act: actOf(acts, withinMs), withinMs, retry: { ...UNTIL_DONE, attempts } };
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

type ReplyMapper = (state: never, reply: object, item: unknown) => never;

function actOf(acts: Acts, withinMs: number): Act<never> {
  if (acts.kind === 'send') return { kind: 'send', make: acts.make as (state: never, item: unknown) => object };
  return { kind: 'call', work: acts.work as (state: never, call: Call) => unknown, withinMs };
}
