import { ConfigurationError, MillraceError } from './errors.js';
import type { LazySignal } from './lazy-signal.js';
import type { MessageContext } from './message-context.js';
import type { Partition } from './partition.js';

/** How messages are gathered. */
export interface BatchOptions {
  /** Messages of one batch at most: 1 to 1000. */
  readonly size: number;
  /**
   * How long a message waits for others to make the batch full, ms. Default 0: a batch is what has been read already; while
   * one is handled, the next one gathers.
   */
  readonly waitMs?: number;
}

/** What a handler of batches can know and say about its messages. All are of one partition. */
export interface BatchContext {
  readonly partition: Partition;
  /** Envelope, entry and attempt of each message, in the same order. */
  readonly messages: readonly MessageContext[];
  /** Aborted when nobody waits for the handler any more. */
  readonly signal: AbortSignal;
  /**
   * This message has failed: it is tried again alone, while the others are done. What the handler has staged for it is
   * committed with the others all the same, so say it before. When a later message of its key is in the batch and has not
   * failed, too, nothing is committed and each is tried alone, since a key keeps its order.
   *
   * @param message its place in the batch, or the message itself
   */
  fail(message: number | object, error: unknown): void;
}

/** Thrown by a handler of batches: these messages have failed, the others are done. */
export class BatchError extends MillraceError {
  override readonly name = 'BatchError';
  readonly code = 'batch';

  /** @param failures what went wrong, by the place of the message in the batch or by the message itself */
  constructor(readonly failures: Iterable<readonly [message: number | object, error: unknown]>) {
    super('some messages of the batch have failed');
  }
}

/** A handler of many messages at once. */
export interface BatchHandler {
  readonly size: number;
  readonly waitMs: number;
  handle(messages: readonly object[], context: BatchContext): Promise<unknown> | unknown;
}

/** The part of a handler's declaration that tells how it takes messages. */
export interface BatchDeclaration {
  readonly batch: BatchHandler;
  /** One message alone. */
  handle(data: object, context: MessageContext): Promise<void>;
}

const MAX_SIZE = 1_000;

/**
 * The part of a declaration that takes messages in batches, and one alone where it has to be.
 *
 * @throws ConfigurationError for a size or a wait that cannot work
 */
export function inBatches(
  name: string,
  batch: number | BatchOptions,
  handle: BatchHandler['handle'],
): BatchDeclaration {
  const { size, waitMs = 0 } = typeof batch === 'number' ? { size: batch } : batch;
  if (!Number.isInteger(size) || size < 1 || size > MAX_SIZE) {
    throw new ConfigurationError(`${name} has batches of ${size}: the size must be an integer from 1 to ${MAX_SIZE}`);
  }
  if (!(waitMs >= 0 && waitMs < 2 ** 31)) {
    throw new ConfigurationError(`${name} has batch.waitMs: ${waitMs}; it must be a number of ms, at least 0`);
  }
  return {
    batch: { size, waitMs, handle },
    async handle(data, context) {
      const { partition } = context.entry.source;
      const alone = new Batch(partition, [data], [context], context);
      await alone.run(handle);
      if (alone.failures.has(0)) throw alone.failures.get(0);
    },
  };
}

/** One batch while it is handled. */
export class Batch implements BatchContext {
  /** What went wrong, by the place of the message. */
  readonly failures = new Map<number, unknown>();

  constructor(
    readonly partition: Partition,
    private readonly data: readonly object[],
    readonly messages: readonly MessageContext[],
    private readonly over: Pick<LazySignal, 'signal'>,
  ) {}

  get signal(): AbortSignal {
    return this.over.signal;
  }

  /** Rejects with what the handler throws, unless that says which messages have failed. */
  async run(handle: BatchHandler['handle']): Promise<void> {
    try {
      await handle([...this.data], this);
    } catch (error) {
      if (!(error instanceof BatchError)) throw error;
      for (const [message, failure] of error.failures) this.fail(message, failure);
      if (this.failures.size === 0) throw error;
    }
  }

  fail(message: number | object, error: unknown): void {
    const index = typeof message === 'number' ? message : this.data.indexOf(message);
    if (!(index in this.data)) {
      const what = typeof message === 'number' ? `message ${message}` : 'this object';
      throw new ConfigurationError(
        `${what} cannot fail: it is none of the ${this.data.length} messages of the batch; give its place, from 0, or the message itself`,
      );
    }
    this.failures.set(index, error);
  }
}
