import { afterFailure } from './after-failure.js';
import type { RetryRecord } from './commit.js';
import { bury, describe, mayHaveToPark, park } from './dead-lettering.js';
import type { Message } from './decision.js';
import type { Delivery, GroupScope, Outcome, Received } from './delivery.js';
import { pause } from './pause.js';
import type { Slot } from './work.js';
import { StoreUnavailableError, UnknownOutcomeError } from './errors.js';
import { leaseOf, refOf, settle } from './settlement.js';

/** What a handler or its commit threw, which may be anything. */
export interface Failure {
  readonly error: unknown;
}

const STORE_RETRY_MS = 200;
/** What waits for longer than this is not kept in memory, ms. */
const LONG_MS = 60_000;
/** Who waits looks this often whether the entry is to be left to another process, ms. */
const LOOK_MS = 1_000;

/**
 * Deliveries before a message is suspected of ending its process. Restarts and lost connections redeliver the innocent
 * too, so a count of deliveries proves nothing: a suspect is handled alone, and each beginning is recorded before it.
 */
const UNSUSPECTED = 2;

/** The way of messages that failed, or were delivered before: retries with backoff, suspects alone, dead letters. */
export class Perseverance {
  private lastSuspect: Promise<unknown> = Promise.resolve();

  /** @param handle one run of the handler and its commit; rejects when it fails */
  constructor(
    private readonly scope: GroupScope,
    private readonly handle: (delivery: Delivery, message: Message, slot: Slot) => Promise<Outcome>,
  ) {}

  /**
   * Tries until the entry is settled or no longer ours.
   *
   * @param failure how a first attempt failed, if there was one
   */
  async persevere(delivery: Delivery, received: Received, slot: Slot, failure?: Failure): Promise<Outcome> {
    for (;;) {
      try {
        const outcome = await this.attempt(delivery, received, slot, failure);
        if (outcome !== 'put-off') return outcome;
      } catch (error) {
        // Only the store can fail here: nothing is decided yet, so wait for it, for as long as it takes.
        this.scope.logger.warn(`${this.scope.group.name}: ${describe(error)}; trying again`);
        if (!(await this.wait(delivery, STORE_RETRY_MS))) return 'abandoned';
        failure = undefined;
        continue;
      }
      failure = undefined;
      // eslint-disable-next-line no-useless-assignment -- else this function would keep the message in memory while it waits
      received = { kind: 'irrelevant', key: received.key };
      const back = await slot.away(async () => (await this.waitForDue(delivery)) && delivery.reload());
      if (!back || !this.goesOn(delivery)) return 'abandoned';
      ({ received } = delivery);
    }
  }

  private async attempt(
    delivery: Delivery,
    received: Received,
    slot: Slot,
    failure: Failure | undefined,
  ): Promise<Outcome | 'put-off'> {
    const { scope } = this;
    if (received.kind === 'irrelevant') return settle(scope, delivery, []);
    if (mayHaveToPark(scope, delivery)) {
      const outcome = await park(scope, delivery);
      if (outcome) return outcome;
    }
    if (received.kind === 'refused') return bury(scope, delivery, { ...received, attempts: 0 });
    const { deliveries } = scope.settings.retry;
    const unrecorded = Math.min(UNSUSPECTED, deliveries);
    const begun = delivery.retry?.begun ?? 0;
    const suspect = delivery.deliveries > unrecorded;
    if (suspect && unrecorded + begun >= deliveries) {
      const error = new Error(
        `delivered ${delivery.deliveries} times; its handler was begun alone ${begun} times, and each time the process ended first`,
      );
      return bury(scope, delivery, { reason: 'crashed', error, attempts: delivery.retry?.attempts ?? 0 });
    }
    for (;;) {
      if (failure) {
        const { error } = failure;
        if (error instanceof StoreUnavailableError || error instanceof UnknownOutcomeError) throw error;
        const outcome = await this.failed(delivery, received, error);
        if (outcome) return outcome;
      }
      if (this.early(delivery) > LONG_MS) return 'put-off';
      if (!(await this.due(delivery, slot))) return 'abandoned';
      await slot.take();
      try {
        return await (suspect ? this.handleAlone(delivery, received, slot) : this.handle(delivery, received, slot));
      } catch (error) {
        failure = { error };
      }
    }
  }

  /** Handles one suspect at a time, so that the one whose process ends is the one to blame. */
  private handleAlone(delivery: Delivery, received: Message, slot: Slot): Promise<Outcome> {
    const { broker, logger, stopping } = this.scope;
    const turn = this.lastSuspect.then(async (): Promise<Outcome> => {
      if (stopping.aborted) return 'abandoned';
      const { entry, retry } = delivery;
      const now = broker.clock.now();
      const before = retry ?? { attempts: 0, due: now, first: now, error: 'the process ended before the handler did' };
      if (!(await this.remember(delivery, { ...before, begun: (before.begun ?? 0) + 1 }))) return 'lease-lost';
      // Processes are counted, not attempts of this one when the store is away meanwhile.
      delivery.retry = before;
      logger.warn(`${received.handler.name} begins ${entry.id} alone, after ${delivery.deliveries} deliveries`);
      return this.handle(delivery, received, slot);
    });
    this.lastSuspect = turn.catch(() => undefined);
    return turn;
  }

  /** Remembers the failure, or gives the message up. Undefined: try again. */
  private async failed(
    delivery: Delivery,
    { handler, envelope: { type } }: Message,
    error: unknown,
  ): Promise<Outcome | undefined> {
    const { broker, group, settings, logger } = this.scope;
    const former = delivery.retry?.attempts ?? 0;
    const now = broker.clock.now();
    const next = afterFailure(error, former + 1, settings.retry, now, Math.random());
    if (next.kind === 'given-up') return bury(this.scope, delivery, { ...next, error, attempts: former + 1 });
    const attempts = next.failed ? former + 1 : former;
    const record = { attempts, due: next.due, first: delivery.retry?.first ?? now, error: describe(error) };
    if (next.failed)
      logger.warn(`${handler.name} failed (attempt ${attempts}), again in ${next.due - now} ms: ${record.error}`);
    else logger.debug(`${handler.name}: ${record.error}`);
    if (!(await this.remember(delivery, record))) return 'lease-lost';
    broker.telemetry?.redelivered({ type, group: group.name, cause: next.failed ? 'retry' : 'deferred' });
    return undefined;
  }

  /** False when the lease is another's. */
  private async remember(delivery: Delivery, record: RetryRecord): Promise<boolean> {
    const { entry } = delivery;
    const { broker, group } = this.scope;
    const lease = leaseOf(this.scope, delivery);
    const { status } = await broker.commit({
      partition: entry.source.partition,
      guards: lease ? [lease] : [],
      writes: [{ kind: 'retry', entry: refOf(entry), group: group.name, record }],
    });
    if (status === 'committed') delivery.retry = record;
    return status === 'committed';
  }

  /** Waits until it is time to try again. False when that is no longer ours. */
  private async due(delivery: Delivery, slot: Slot): Promise<boolean> {
    if (this.early(delivery) <= 0) return true;
    return (await slot.aside(() => this.waitForDue(delivery))) && this.goesOn(delivery);
  }

  /** Ms until it is time to try again. */
  private early({ retry }: Delivery): number {
    return (retry?.due ?? 0) - this.scope.broker.clock.now();
  }

  private async waitForDue(delivery: Delivery): Promise<boolean> {
    for (let ms = this.early(delivery); ms > 0; ms = this.early(delivery))
      if (!(await this.wait(delivery, Math.min(ms, LOOK_MS)))) return false;
    return true;
  }

  /** Its place may have come only because there is nothing more to be begun. */
  private goesOn({ place }: Delivery): boolean {
    return !place.leaving && !this.scope.stopping.aborted;
  }

  /** False when the service stopped meanwhile, or the entry is to be left to another process. */
  private async wait({ place }: Delivery, ms: number): Promise<boolean> {
    return (await pause(ms, this.scope.stopping)) && !place.leaving;
  }
}
