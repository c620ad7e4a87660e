import type { Envelope } from '@millrace/messages';
import { answer, answerAll, isStream } from './answer.js';
import type { Broker } from './broker.js';
import type { Commit, Guard, Write } from './commit.js';
import { HandlerTimeoutError } from './errors.js';
import type { HandlerDeclaration } from './handler.js';
import type { HandlingContext } from './handling-context.js';
import type { Origin } from './origin.js';
import { failedReply } from './system-reply.js';
import { withTombstones } from './tombstones.js';
import { UnitOfWork } from './unit-of-work.js';
import { within } from './within.js';

/** A message with the handler that takes it. */
export interface Message {
  readonly kind: 'message';
  readonly key: string;
  readonly envelope: Envelope;
  /** Where it comes from, when it was a dead letter. */
  readonly origin: Origin | undefined;
  readonly handler: HandlerDeclaration;
  readonly data: object;
}

/** A handler that was called and has more to it than that its message is done: the usual way goes on from here. */
export interface Begun {
  readonly unit: UnitOfWork;
  readonly context: HandlingContext;
  /** What the handler answered. */
  readonly reply: ReturnType<HandlerDeclaration['handle']>;
  /** What it threw, if it did. */
  readonly failure?: { readonly error: unknown };
}

/** What settles the entry that the message came with. */
export interface Settlement {
  readonly guards: readonly Guard[];
  readonly writes: readonly Write[];
  /** Aborted when the service stops: ends an answer of many replies. */
  readonly stopping?: AbortSignal;
}

/**
 * Runs a handler in a unit of work of its own and answers with all that it decided, as one commit. A handler that decides
 * at once, without a promise, costs none here either.
 *
 * @param timeoutMs how long it may take; then the promise rejects with {@link HandlerTimeoutError}
 * @param begun what has been called already
 */
export function decide(
  broker: Broker,
  message: Message,
  context: HandlingContext,
  { guards, writes, stopping }: Settlement,
  timeoutMs?: number,
  begun?: Begun,
): Commit | Promise<Commit> {
  const { envelope, handler, data } = message;
  const { entry } = context;
  const { partition } = entry.source;
  const unit = begun?.unit ?? new UnitOfWork(envelope, broker, partition);
  if (envelope.expirytime !== undefined && Date.parse(envelope.expirytime) <= broker.clock.now()) {
    const error = `its time was over at ${envelope.expirytime}, before ${handler.name} began`;
    return { partition, guards, writes: [...failedReply(broker, envelope, { reason: 'expired', error }), ...writes] };
  }
  const toCommit = (): Commit | Promise<Commit> => {
    const commit = unit.toCommit(partition, guards, writes);
    return commit instanceof Promise
      ? commit.then((decided) => withTombstones(broker, message, entry, decided))
      : withTombstones(broker, message, entry, commit);
  };
  const answered = { broker, unit, command: envelope, handler };
  const conclude = (reply: object | void | null): Commit | Promise<Commit> => {
    if (isStream(reply)) {
      const over = stopping ? AbortSignal.any([context.signal, stopping]) : context.signal;
      const sent = unit.run(() => answerAll(answered, reply, over));
      return sent.then(toCommit);
    }
    if (((reply !== undefined && reply !== null) || envelope.replyto !== undefined) && !handler.ownReplies) {
      const placed = unit.run(() => answer(answered, reply));
      if (placed) return placed.then(toCommit);
    }
    return toCommit();
  };
  try {
    if (begun?.failure) throw begun.failure.error;
    const reply = begun ? begun.reply : unit.call(handler, data, context);
    const decided = isPromise(reply) ? reply.then(conclude) : conclude(reply);
    if (isPromise(decided)) {
      const commit = Promise.resolve(decided).finally(() => unit.end());
      return timeoutMs === undefined
        ? commit
        : within(timeoutMs, commit, () => giveUp(handler, unit, context, timeoutMs));
    }
    unit.end();
    return decided;
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

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
