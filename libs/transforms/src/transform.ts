import { contractOf, toInstance, validateMessage } from '@millrace/messages';
import type { Contract, Envelope, MessageClass } from '@millrace/messages';

/** A pure step between the wire and a handler, or between a publisher and the wire. */
export interface Transform {
  /** What it does, for errors and topology: `translate place-order.take-payment -> payment.authorize`. */
  readonly name: string;
  /** The message type it takes; others pass unchanged. */
  readonly from: string;
  /** The message type it makes; absent: the one it takes. */
  readonly to?: string;
  /** The schema versions it takes; absent: every one. */
  readonly version?: number;
  apply(message: Envelope): Envelope;
}

/** A transform that threw: the message is dead-lettered with the transform's name. */
export class TransformError extends Error {
  override readonly name = 'TransformError';
  readonly code = 'transform-failed';

  constructor(
    readonly transform: string,
    cause: unknown,
  ) {
    super(`${transform}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/**
 * Message Translator (Hohpe and Woolf): one context's words into another's. The result is validated by its contract, whose
 * key it gets unless the message has one.
 *
 * @example
 * translate(TakePayment, payment.Authorize, ({ orderId, total }) =>
 *   new payment.Authorize({ reference: orderId, amountMinor: total.amount, ccy: total.currency }))
 */
export function translate<A extends object, B extends object>(
  from: MessageClass<A>,
  to: MessageClass<B>,
  map: (data: A) => B | Fields<B>,
): Transform {
  const source = contractOf(from);
  const target = contractOf(to);
  return {
    name: `translate ${source.type} -> ${target.type}`,
    from: source.type,
    to: target.type,
    apply: (message) => {
      const data = message.data instanceof from ? (message.data as A) : toInstance(from, message.data);
      const mapped = map(data);
      const result = mapped instanceof to ? validateMessage(mapped as B) : toInstance(to, mapped);
      return retyped(message, target, result);
    },
  };
}

/** Upcaster: data of an old schema version into the next one; a chain of them leads to the current version. */
export function upcast<A = Record<string, unknown>>(
  contract: MessageClass,
  { from, to }: { readonly from: number; readonly to: number },
  map: (old: A) => unknown,
): Transform {
  const { type } = contractOf(contract);
  return {
    name: `upcast ${type} ${from} -> ${to}`,
    from: type,
    version: from,
    apply: (message) => ({ ...message, schemaversion: to, data: map(message.data as A) }),
  };
}

/** The data properties of a message class, without its methods. */
export type Fields<T> = { [K in keyof T as T[K] extends (...args: never[]) => unknown ? never : K]: T[K] };

function retyped(message: Envelope, target: Contract, data: object): Envelope {
  const { schemaversion: _old, outcome: _outcome, ...rest } = message;
  const key = target.key === undefined ? undefined : (data as Record<string, unknown>)[target.key];
  return {
    ...(key === undefined ? {} : { partitionkey: String(key) }),
    ...rest,
    type: target.type,
    ...(target.version > 1 ? { schemaversion: target.version } : {}),
    ...(target.kind === 'reply' ? { outcome: target.failure ? 'failure' : 'success' } : {}),
    data,
  };
}
