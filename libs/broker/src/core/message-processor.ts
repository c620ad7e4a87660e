import { setTimeout as sleep } from 'node:timers/promises';
import { contractOf, decode, keyOf, MessageError, toInstance } from '@millrace/messages';
import type { Envelope } from '@millrace/messages';
import { TransformError } from '@millrace/transforms';
import type { Broker } from './broker.js';
import type { Commit, CommitResult, DeadLetter, Guard, RetryRecord, Write } from './commit.js';
import { decide } from './decision.js';
import type { Message } from './decision.js';
import type { Slot } from './dispatcher.js';
import { ConfigurationError, NonRetryableError, StoreUnavailableError, UnknownOutcomeError } from './errors.js';
import type { HandlerDeclaration, HandlerGroup } from './handler.js';
import type { Logger } from './logger.js';
import type { Entry } from './partition.js';
import { backoff } from './retry-policy.js';
import type { RetryPolicy } from './retry-policy.js';

/** An entry on its way to a commit. */
export interface Delivery {
  readonly entry: Entry;
  readonly epoch: number;
  /** What earlier attempts left behind. */
  retry: RetryRecord | undefined;
  readonly deliveries: number;
}

/** How an entry ended here. */
export type Outcome = 'settled' | 'lease-lost' | 'abandoned';

/** What reading an entry gave: a message with its handler, or the reason why there is none. */
type Received =
  | Message
  | { readonly kind: 'irrelevant'; readonly key: string }
  | { readonly kind: 'refused'; readonly key: string; readonly reason: string; readonly error: unknown };

/** What a handler or its commit threw, which may be anything. */
interface Failure {
  readonly error: unknown;
}

const STORE_RETRY_MS = 200;

/**
 * Deliveries before a message is suspected of ending its process. Restarts and lost connections redeliver the innocent
 * too, so a count of deliveries proves nothing: a suspect is handled alone, and each beginning is recorded before it.
 */
const UNSUSPECTED = 2;

/**
 * Takes one entry from bytes to its commit: decode, transform, validate, handle, commit; on failure retry with backoff,
 * in the end dead-letter with the reason. Every path ends in exactly one commit that acknowledges the entry.
 */
export class MessageProcessor {
  private lastSuspect: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly broker: Broker,
    private readonly group: HandlerGroup,
    private readonly policy: RetryPolicy,
    private readonly logger: Logger,
    /** Aborted when the service stops: waits end, the entry stays pending for the next start. */
    private readonly stopping: AbortSignal,
  ) {}

  /** Reads an entry, without side effects. The key says which entries it must not overtake. */
  receive(entry: Entry): Received {
    let key = `${entry.source.log}/${entry.id}`;
    try {
      const envelope = this.broker.receive(decode(entry.fields, entry.id, this.broker.limits));
      key = keyOf(envelope);
      const handler = this.group.find(envelope);
      if (handler) return { kind: 'message', key, envelope, handler, data: this.dataOf(envelope, handler) };
      if (entry.source.log === 'feed') return { kind: 'irrelevant', key };
      const error = new MessageError('unknown-type', `no handler for ${envelope.type} in group '${this.group.name}'`);
      return { kind: 'refused', key, reason: error.code, error };
    } catch (error) {
      return { kind: 'refused', key, reason: reasonOf(error), error };
    }
  }

  /** Handles what was received until it is committed, dead-lettered, or no longer ours. */
  process(delivery: Delivery, received: Received, slot: Slot): Promise<Outcome> {
    if (received.kind !== 'message' || delivery.deliveries > 1 || delivery.retry) {
      return this.persevere(delivery, received, slot);
    }
    // The way of nearly all messages, with few promises: each one costs, and more so inside a unit of work.
    return this.handle(delivery, received, slot, (error) => this.persevere(delivery, received, slot, { error }));
  }

  /** @param failure how a first attempt failed, if there was one */
  private async persevere(delivery: Delivery, received: Received, slot: Slot, failure?: Failure): Promise<Outcome> {
    for (;;) {
      try {
        return await this.attempt(delivery, received, slot, failure);
      } catch (error) {
        // Only the store can fail here: nothing is decided yet, so wait for it, for as long as it takes.
        this.logger.warn(`${this.group.name}: ${describe(error)}; trying again`);
        if (!(await this.wait(STORE_RETRY_MS))) return 'abandoned';
        failure = undefined;
      }
    }
  }

  private async attempt(
    delivery: Delivery,
    received: Received,
    slot: Slot,
    failure: Failure | undefined,
  ): Promise<Outcome> {
    if (received.kind === 'irrelevant') return this.settle(delivery, []);
    if (received.kind === 'refused') return this.bury(delivery, received.reason, received.error, 0);
    const unrecorded = Math.min(UNSUSPECTED, this.policy.deliveries);
    const begun = delivery.retry?.begun ?? 0;
    const suspect = delivery.deliveries > unrecorded;
    if (suspect && unrecorded + begun >= this.policy.deliveries) {
      const error = new Error(
        `delivered ${delivery.deliveries} times; its handler was begun alone ${begun} times, and each time the process ended first`,
      );
      return this.bury(delivery, 'crashed', error, delivery.retry?.attempts ?? 0);
    }
    for (;;) {
      if (failure) {
        const { error } = failure;
        if (error instanceof StoreUnavailableError || error instanceof UnknownOutcomeError) throw error;
        const outcome = await this.failed(delivery, received.handler, error);
        if (outcome) return outcome;
      }
      const due = delivery.retry?.due ?? 0;
      const early = due - this.broker.clock.now();
      if (early > 0 && !(await slot.aside(() => this.wait(early)))) return 'abandoned';
      try {
        return await (suspect ? this.handleAlone(delivery, received, slot) : this.handle(delivery, received, slot));
      } catch (error) {
        failure = { error };
      }
    }
  }

  /** Handles one suspect at a time, so that the one whose process ends is the one to blame. */
  private handleAlone(delivery: Delivery, received: Message, slot: Slot): Promise<Outcome> {
    const turn = this.lastSuspect.then(async (): Promise<Outcome> => {
      if (this.stopping.aborted) return 'abandoned';
      const { entry, retry } = delivery;
      const now = this.broker.clock.now();
      const before = retry ?? { attempts: 0, due: now, first: now, error: 'the process ended before the handler did' };
      if (!(await this.remember(delivery, { ...before, begun: (before.begun ?? 0) + 1 }))) return 'lease-lost';
      // Processes are counted, not attempts of this one when the store is away meanwhile.
      delivery.retry = before;
      this.logger.warn(`${received.handler.name} begins ${entry.id} alone, after ${delivery.deliveries} deliveries`);
      return this.handle(delivery, received, slot);
    });
    this.lastSuspect = turn.catch(() => undefined);
    return turn;
  }

  /**
   * One run of the handler and its commit; again with fresh state when somebody else changed the same stream meanwhile.
   *
   * @param otherwise what to do when it fails; else the promise rejects
   */
  private handle(
    delivery: Delivery,
    message: Message,
    slot: Slot,
    otherwise: (error: unknown) => Promise<Outcome> = (error) => Promise.reject(error as Error),
  ): Promise<Outcome> {
    const { entry, retry } = delivery;
    const context = { envelope: message.envelope, entry, attempt: (retry?.attempts ?? 0) + 1 };
    const write = (commit: Commit): Promise<Outcome> => {
      // What is decided only has to be written: the next message can be handled meanwhile, unless it has the same key.
      slot.release();
      return this.broker.commit(commit).then((result) => {
        if (result.status === 'committed' || result.guard === 'input') return 'settled';
        if (result.guard === 'lease') return 'lease-lost';
        if (result.guard === 'command') return this.settle(delivery, []).catch(otherwise);
        return this.stopping.aborted ? 'abandoned' : this.handle(delivery, message, slot, otherwise);
      }, otherwise);
    };
    try {
      const settlement = { guards: this.guards(delivery), writes: this.clearRetry(delivery) };
      const commit = decide(this.broker, message, context, settlement);
      return commit instanceof Promise ? commit.then(write, otherwise) : write(commit);
    } catch (error) {
      return otherwise(error);
    }
  }

  /** Remembers the failure and waits, or gives the message up. Undefined: try again. */
  private async failed(delivery: Delivery, handler: HandlerDeclaration, error: unknown): Promise<Outcome | undefined> {
    const attempts = (delivery.retry?.attempts ?? 0) + 1;
    const hopeless =
      error instanceof NonRetryableError || error instanceof MessageError || error instanceof ConfigurationError;
    if (hopeless || attempts >= this.policy.attempts) {
      return this.bury(delivery, hopeless ? error.code : 'handler-failed', error, attempts);
    }
    const now = this.broker.clock.now();
    const delay = backoff(this.policy, attempts, Math.random());
    const record = { attempts, due: now + delay, first: delivery.retry?.first ?? now, error: describe(error) };
    this.logger.warn(`${handler.name} failed (attempt ${attempts}), again in ${delay} ms: ${describe(error)}`);
    return (await this.remember(delivery, record)) ? undefined : 'lease-lost';
  }

  /** False when the lease is another's. */
  private async remember(delivery: Delivery, record: RetryRecord): Promise<boolean> {
    const { entry } = delivery;
    const { status } = await this.broker.commit({
      partition: entry.source.partition,
      guards: [this.lease(delivery)],
      writes: [{ kind: 'retry', entry: ref(entry), group: this.group.name, record }],
    });
    if (status === 'committed') delivery.retry = record;
    return status === 'committed';
  }

  /** Dead-letters the entry with its reason. */
  private bury(delivery: Delivery, reason: string, error: unknown, attempts: number): Promise<Outcome> {
    const { entry, retry } = delivery;
    const now = this.broker.clock.now();
    const letter: DeadLetter = {
      reason,
      error: describe(error),
      group: this.group.name,
      entry: ref(entry),
      attempts,
      first: retry?.first ?? now,
      last: now,
      fields: entry.fields,
    };
    this.logger.error(
      `dead letter ${entry.source.partition.context}/${entry.source.log} ${entry.id} (${reason}): ${letter.error}`,
    );
    return this.settle(delivery, [{ kind: 'dead-letter', letter }]);
  }

  private async settle(delivery: Delivery, writes: readonly Write[]): Promise<Outcome> {
    const result: CommitResult = await this.broker.commit({
      partition: delivery.entry.source.partition,
      guards: this.guards(delivery),
      writes: [...writes, ...this.clearRetry(delivery)],
    });
    return result.status === 'refused' && result.guard === 'lease' ? 'lease-lost' : 'settled';
  }

  private guards(delivery: Delivery): Guard[] {
    return [this.lease(delivery), { kind: 'input', entry: ref(delivery.entry), group: this.group.name }];
  }

  private lease({ entry, epoch }: Delivery): Guard {
    return { kind: 'lease', partition: entry.source.partition, group: this.group.name, epoch };
  }

  private clearRetry({ entry, retry }: Delivery): Write[] {
    return retry ? [{ kind: 'clear-retry', entry: ref(entry), group: this.group.name }] : [];
  }

  private dataOf(envelope: Envelope, handler: HandlerDeclaration): object {
    if (!handler.contract) return envelope.data as object;
    if (envelope.data instanceof handler.contract) return envelope.data;
    const { version, type } = contractOf(handler.contract);
    const byHand = envelope.source === '/by-hand' && envelope.schemaversion === undefined;
    if (!byHand && (envelope.schemaversion ?? 1) !== version) {
      throw new MessageError(
        'unsupported-version',
        `${type} has schema version ${envelope.schemaversion ?? 1}, this service knows ${version}: add an upcast`,
      );
    }
    return toInstance(handler.contract, envelope.data, this.broker.validate);
  }

  /** False when the service stopped meanwhile. */
  private async wait(ms: number): Promise<boolean> {
    try {
      await sleep(ms, undefined, { signal: this.stopping });
      return true;
    } catch {
      return false;
    }
  }
}

function ref({ source, id }: Entry): { source: Entry['source']; id: string } {
  return { source, id };
}

function reasonOf(error: unknown): string {
  return error instanceof MessageError || error instanceof TransformError ? error.code : 'malformed';
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
