import { setTimeout as sleep } from 'node:timers/promises';
import type { RetryRecord } from './commit.js';
import type { Begun } from './decision.js';
import type { Delivery, GroupScope, Outcome, Received } from './delivery.js';
import { bytesOf } from './entry-bytes.js';
import type { MessageProcessor } from './message-processor.js';
import type { Entry } from './partition.js';
import type { Place } from './place.js';
import type { Slot, Work } from './work.js';

/** What the entries of a consumer have in common. */
export interface Arrivals {
  readonly scope: GroupScope;
  readonly processor: MessageProcessor;
  read(entry: Entry): Received;
  settled(arrival: Arrival, outcome: Outcome): void;
}

const STORE_RETRY_MS = 200;

/** An entry from its arrival to its end here. */
export class Arrival implements Delivery, Work {
  begun = false;
  unloaded = false;
  readonly bytes: number;
  readonly limited: boolean;

  constructor(
    private readonly all: Arrivals,
    readonly place: Place,
    /** Unique in its place. */
    readonly name: string,
    public entry: Entry,
    public received: Received,
    /** Under which it was read, even if the lease has changed since. */
    readonly epoch: number | undefined,
    readonly deliveries: number,
    public retry: RetryRecord | undefined,
    /** Which entries it must not overtake. */
    readonly key: string,
    /** What has been done at once. */
    public ahead: Begun | undefined,
  ) {
    this.limited = received.kind === 'message';
    this.bytes = bytesOf(entry);
  }

  run(slot: Slot): Promise<Outcome | undefined> | undefined {
    this.begun = true;
    // Taken over by another process meanwhile, or about to be: the next holder handles the entry.
    if (this.place.epoch !== this.epoch) return this.all.settled(this, 'lease-lost') as undefined;
    if (this.place.leaving) return this.all.settled(this, 'abandoned') as undefined;
    if (this.unloaded) return this.reload().then((there) => (there ? this.process(slot) : 'abandoned'));
    return this.process(slot);
  }

  unload(): void {
    const { source, id } = this.entry;
    this.entry = { source, id, fields: [] };
    this.received = { kind: 'irrelevant', key: this.key };
    this.ahead = undefined;
  }

  discard(): void {
    this.all.settled(this, 'abandoned');
  }

  /** @param outcome undefined where it has been told already */
  ended(outcome: Outcome | undefined): void {
    if (outcome !== undefined) this.all.settled(this, outcome);
  }

  private process(slot: Slot): Promise<Outcome> | undefined {
    const work = this.all.processor.process(this, this.received, slot, this.ahead);
    if (!work) this.ended('settled');
    return work;
  }

  async reload(): Promise<boolean> {
    const { broker, logger, group, stopping } = this.all.scope;
    while (!stopping.aborted) {
      try {
        const entry = await broker.store.readEntry(this.entry);
        if (entry) this.received = this.all.read((this.entry = entry));
        return true;
      } catch (error) {
        logger.warn(`${group.name}: ${(error as Error).message}; trying again`);
        await sleep(STORE_RETRY_MS, undefined, { signal: stopping }).catch(() => undefined);
      }
    }
    return false;
  }
}
