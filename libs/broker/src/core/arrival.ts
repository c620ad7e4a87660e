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
  private known: Received | undefined;
  private slot: Slot | undefined;

  constructor(
    private readonly all: Arrivals,
    readonly place: Place,
    /** Unique in its place. */
    readonly name: string,
    public entry: Entry,
    received: Received,
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
    this.known = received;
  }

  get received(): Received {
    return (this.known ??= this.all.read(this.entry));
  }

  run(slot: Slot): void {
    this.begun = true;
    this.slot = slot;
    // Taken over by another process meanwhile, or about to be: the next holder handles the entry.
    if (this.place.epoch !== this.epoch) this.end('lease-lost');
    else if (this.place.leaving) this.end('abandoned');
    else if (this.unloaded) void this.reload().then((there) => (there ? this.process(slot) : this.end('abandoned')));
    else this.process(slot);
  }

  forget(): void {
    this.known = undefined;
  }

  unload(): void {
    const { source, id } = this.entry;
    this.entry = { source, id, fields: [] };
    this.known = { kind: 'irrelevant', key: this.key };
    this.ahead = undefined;
  }

  discard(): void {
    this.all.settled(this, 'abandoned');
  }

  end(outcome: Outcome): void {
    this.all.settled(this, outcome);
    this.slot!.end();
  }

  private process(slot: Slot): void {
    const { ahead } = this;
    this.ahead = undefined;
    this.all.processor.process(this, slot, ahead);
  }

  async reload(): Promise<boolean> {
    const { broker, logger, group, stopping } = this.all.scope;
    while (!stopping.aborted) {
      try {
        const entry = await broker.store.readEntry(this.entry);
        if (entry) this.known = this.all.read((this.entry = entry));
        return true;
      } catch (error) {
        logger.warn(`${group.name}: ${(error as Error).message}; trying again`);
        await sleep(STORE_RETRY_MS, undefined, { signal: stopping }).catch(() => undefined);
      }
    }
    return false;
  }
}
