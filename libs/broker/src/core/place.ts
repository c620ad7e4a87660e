import type { Delivery } from './delivery.js';
import { addressOf } from './partition.js';
import type { Partition, Source } from './partition.js';
import { PassingMap } from './passing-map.js';

/** A partition that a group consumes, and this process's part in that. */
export class Place {
  readonly address: string;
  /** The lease's, while this process has it. */
  epoch: number | undefined;
  /** Until then, in `performance.now()`, nobody else can have the lease, so only until then may be read. */
  until = 0;
  /** What the former holder left pending has been taken over, so new entries may be read. */
  recovered = false;
  recoveredAt = 0;
  /** The epoch in which it was taken over last: what is pending again in it came to nobody, because a reply was lost. */
  recoveredEpoch: number | undefined;
  /** Somebody else is to have it: nothing more is begun here. */
  leaving = false;
  /** A read that includes it has not been answered. */
  reading = false;
  /** A request for its lease has not been answered. */
  asking = false;
  /** Calls under way that acknowledge entries of it. */
  acknowledging = 0;
  /** Entries dispatched and not settled. */
  readonly inFlight = new PassingMap<Delivery>();

  constructor(
    readonly partition: Partition,
    readonly sources: readonly Source[],
  ) {
    this.address = addressOf(partition);
  }

  get held(): boolean {
    return this.epoch !== undefined;
  }

  /** The lease is ours until then, with this epoch. */
  hold(epoch: number, until: number): void {
    this.until = until;
    if (this.epoch === epoch) return;
    this.epoch = epoch;
    this.recovered = false;
    this.leaving = false;
  }

  /** The lease is no longer ours. */
  drop(): void {
    this.epoch = undefined;
    this.until = 0;
    this.recovered = false;
    this.leaving = false;
  }

  /** Nothing of it is under way any more. */
  get quiet(): boolean {
    return this.inFlight.size === 0 && this.acknowledging === 0 && !this.reading && !this.asking;
  }
}
