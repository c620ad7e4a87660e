import { findContract } from '@millrace/messages';
import type { Envelope } from '@millrace/messages';
import type { Broker } from './broker.js';
import type { Commit, Guard, Write } from './commit.js';
import { HandlerTimeoutError, NonRetryableError } from './errors.js';
import type { HandlerDeclaration } from './handler.js';
import type { HandlingContext } from './handling-context.js';
import { parseAddress } from './partition.js';
import { UnitOfWork } from './unit-of-work.js';

/** A message with the handler that takes it. */
export interface Message {
  readonly kind: 'message';
  readonly key: string;
  readonly envelope: Envelope;
  readonly handler: HandlerDeclaration;
  readonly data: object;
}

/** What settles the entry that the message came with. */
export interface Settlement {
  readonly guards: readonly Guard[];
  readonly writes: readonly Write[];
}

/**
 * Runs a handler in a unit of work of its own and answers with all that it decided, as one commit. A handler that decides
 * at once, without a promise, costs none here either.
 *
 * @param timeoutMs how long it may take; then the promise rejects with {@link HandlerTimeoutError}
 */
export function decide(
  broker: Broker,
  { envelope, handler, data }: Message,
  context: HandlingContext,
  { guards, writes }: Settlement,
  timeoutMs?: number,
): Commit | Promise<Commit> {
  const unit = new UnitOfWork(envelope, broker);
  const conclude = (reply: object | void | null): Commit => {
    if (reply !== undefined && reply !== null) unit.run(() => answer(broker, unit, envelope, handler, reply));
    return unit.toCommit(context.entry.source.partition, guards, writes);
  };
  try {
    const reply = unit.run(() => handler.handle(data, context));
    if (isPromise(reply)) {
      const commit = Promise.resolve(reply.then(conclude)).finally(() => unit.end());
      return timeoutMs === undefined
        ? commit
        : within(timeoutMs, commit, () => giveUp(handler, unit, context, timeoutMs));
    }
    const commit = conclude(reply);
    unit.end();
    return commit;
  } catch (error) {
    unit.end();
    throw error;
  }
}

/** The handler may go on, but nothing that it decides from now on counts. */
function giveUp(handler: HandlerDeclaration, unit: UnitOfWork, context: HandlingContext, ms: number): Error {
  const error = new HandlerTimeoutError(
    `${handler.name} has not settled within ${ms} ms (handlerTimeoutMs), its attempt has been given up`,
  );
  unit.abandon(error);
  context.abort(error);
  return error;
}

/** Settles as the work does, or rejects with what `expire` makes when that takes too long. */
function within<T>(ms: number, work: Promise<T>, expire: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    // Node fires longer timers at once.
    const timer = setTimeout(() => reject(expire()), Math.min(ms, 2 ** 31 - 1));
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Sends the reply where the command wants it, with the commit. */
function answer(broker: Broker, unit: UnitOfWork, command: Envelope, handler: HandlerDeclaration, reply: object): void {
  const contract = findContract(reply);
  if (contract?.kind !== 'reply') {
    throw new NonRetryableError(
      `${handler.name} returned ${contract ? `the ${contract.kind} ${contract.type}` : 'an object that is no message'}: return a class decorated with @Reply, or nothing`,
    );
  }
  const to = command.replyto === undefined ? undefined : parseAddress(command.replyto);
  if (!to) return;
  const key = command.correlationid ?? command.partitionkey;
  const { text } = broker.encode(reply, {
    inreplyto: command.id,
    ...(key === undefined ? {} : { partitionkey: key }),
  });
  unit.emit(to, text);
}

function isPromise(value: unknown): value is Promise<object | void> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
