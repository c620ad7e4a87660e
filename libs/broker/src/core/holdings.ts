import type { Logger } from './logger.js';
import type { PartitionStore } from './partition-store.js';
import { partitionOf } from './partition.js';
import type { Place } from './place.js';
import { quota } from './share.js';

export interface HoldingsSettings {
  readonly group: string;
  /** Unique per process start. */
  readonly owner: string;
  /** Time to live of leases and memberships, ms. */
  readonly leaseTtlMs: number;
}

/** Longest time between two looks at who else consumes, ms. */
const LONGEST_BEAT_MS = 1_000;
/** What this process has longer than this many times to live is looked at again for entries it has overlooked. */
const LOOK_AGAIN = 2;

/**
 * The partitions that this process may consume for a group. The processes of a service share them evenly: who has more
 * than its share finishes what it has begun there and gives the lease back, who has less takes what is free. Nobody else
 * pauses for that.
 */
export class Holdings {
  private readonly contexts: readonly (readonly Place[])[];
  private beating: Promise<void> | undefined;
  private waiters: (() => void)[] = [];

  constructor(
    private readonly store: PartitionStore,
    private readonly places: readonly Place[],
    private readonly settings: HoldingsSettings,
    private readonly logger: Logger,
    /** Aborted when nothing more is to be taken. */
    private readonly stopping: AbortSignal,
    /** Told of a place that is to be left, to begin nothing more there. */
    private readonly leaving: (place: Place) => void,
  ) {
    const contexts = new Set(places.map(({ partition }) => partition.context));
    this.contexts = [...contexts].map((context) => places.filter(({ partition }) => partition.context === context));
  }

  /** Time between two beats, ms. */
  get beatMs(): number {
    return Math.min(this.settings.leaseTtlMs / 3, LONGEST_BEAT_MS);
  }

  /** Renews what is held, gives away what is above the share, takes what is free below it. One at a time. */
  beat(): Promise<void> {
    return (this.beating ??= this.balance().finally(() => (this.beating = undefined)));
  }

  /** Resolves after the next change of what is held or sure, or soon. */
  changed(): Promise<void> {
    return this.stopping.aborted ? Promise.resolve() : new Promise((resolve) => this.waiters.push(resolve));
  }

  /** Wakes who waits for a change. */
  wake(): void {
    for (const resolve of this.waiters.splice(0)) resolve();
  }

  /** Gives a place away that is to be left, once nothing of it is under way. */
  settle(place: Place): void {
    if (place.leaving && place.quiet && place.held) void this.release(place);
  }

  /** Gives everything back. */
  async leave(): Promise<void> {
    const { group, owner } = this.settings;
    const homes = this.contexts.map(([first]) => first!.partition);
    await Promise.all(homes.map((home) => this.store.leave(home, group, owner).catch(() => undefined)));
    await Promise.all(this.places.filter(({ held }) => held).map((place) => this.release(place)));
  }

  private async balance(): Promise<void> {
    await Promise.all(this.contexts.map((places) => this.balanceContext(places)));
    this.wake();
  }

  private async balanceContext(places: readonly Place[]): Promise<void> {
    const { partition } = places[0]!;
    try {
      const [share] = await Promise.all([this.shareOf(places), this.renew(places)]);
      if (this.stopping.aborted) return;
      const kept = places.filter(({ held, leaving }) => held && !leaving);
      kept.sort((a, b) => a.inFlight.size - b.inFlight.size);
      for (const place of kept.slice(0, Math.max(0, kept.length - share))) {
        place.leaving = true;
        this.leaving(place);
      }
      for (const place of places) this.settle(place);
      await this.take(places, share - kept.length);
    } catch (error) {
      this.logger.warn(`${this.settings.group}: partitions of ${partition.context}: ${(error as Error).message}`);
    }
  }

  private async shareOf(places: readonly Place[]): Promise<number> {
    const { partition } = places[0]!;
    const { group, owner, leaseTtlMs: ttlMs } = this.settings;
    if (this.stopping.aborted) return 0;
    const members = await this.store.attend({ partition, group, owner, ttlMs });
    return quota(places.length, members, owner, partitionOf(partition.context, members.length));
  }

  /** Goes on while handlers finish, however long that takes: without the lease their commits would be refused. */
  private async renew(places: readonly Place[]): Promise<void> {
    const now = performance.now();
    const { leaseTtlMs } = this.settings;
    await Promise.all(
      places.map(async (place) => {
        if (place.recovered && now > place.recoveredAt + LOOK_AGAIN * leaseTtlMs) place.recovered = false;
        if (place.held && place.until - now < 0.7 * leaseTtlMs) await this.ask(place);
      }),
    );
  }

  /** Takes so many that nobody has. */
  private async take(places: readonly Place[], count: number): Promise<void> {
    const others = places.filter(({ held }) => !held);
    for (let missing = count; missing > 0 && others.length > 0 && !this.stopping.aborted;) {
      const answers = await Promise.all(others.splice(0, missing).map((place) => this.ask(place)));
      missing -= answers.filter(Boolean).length;
    }
  }

  /** Asks for the lease of a place, to take or to renew it. */
  private async ask(place: Place): Promise<boolean> {
    const { group, owner, leaseTtlMs: ttlMs } = this.settings;
    const until = performance.now() + ttlMs;
    place.asking = true;
    try {
      const answer = await this.store.acquireLease({ partition: place.partition, group, owner, ttlMs });
      if (answer.held) place.hold(answer.epoch, until);
      else place.drop();
      if (answer.held) await this.store.savePositions(place.sources, group);
      return answer.held;
    } finally {
      place.asking = false;
      this.settle(place);
    }
  }

  private async release(place: Place): Promise<void> {
    const { epoch, partition } = place;
    place.drop();
    await this.store.releaseLease(partition, this.settings.group, epoch!).catch(() => undefined);
  }
}
