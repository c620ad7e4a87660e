import type { Broker } from './broker.js';
import { addressOf } from './partition.js';
import type { Entry, Partition } from './partition.js';
import type { Reader } from './reader.js';

/** Where in one feed a reader is. */
interface Place {
  readonly partition: Partition;
  position: number;
}

/** Reads without entries after which the heads are looked at. */
const LOOK_EVERY = 30;

/**
 * Reads the events of a context that come from now on. Positions of a feed have no gaps, so it knows when events were
 * trimmed before it came to them, and when a failover has taken some back.
 */
export class FeedTail {
  private quiet = 0;
  private doubtful = false;

  private constructor(
    private readonly broker: Broker,
    private readonly reader: Reader,
    private readonly places: readonly Place[],
    private readonly onGap: (text: string) => void,
  ) {}

  /** @param onGap told when events were missed */
  static async open(broker: Broker, context: string, onGap: (text: string) => void): Promise<FeedTail> {
    const partitions = await broker.partitionsOf(context);
    const places = await Promise.all(
      Array.from({ length: partitions }, async (_, index) => {
        const partition = { context, index };
        return { partition, position: await broker.store.head(partition) };
      }),
    );
    return new FeedTail(broker, broker.store.openReader(), places, onGap);
  }

  /** The next events, up to `limit` in all; none after `blockMs`. */
  async read(limit: number, blockMs: number): Promise<readonly Entry[]> {
    try {
      if (this.doubtful || this.quiet >= LOOK_EVERY) await this.look();
      const entries = await this.reader.readFeeds(this.places, Math.ceil(limit / this.places.length), blockMs);
      this.quiet = entries.length === 0 ? this.quiet + 1 : 0;
      for (const entry of entries) this.passed(entry);
      return entries;
    } catch (error) {
      // Behind a lost connection may stand another server.
      this.doubtful = true;
      throw error;
    }
  }

  close(): Promise<void> {
    return this.reader.close();
  }

  private passed({ source: { partition }, id }: Entry): void {
    const place = this.places.find((each) => each.partition.index === partition.index)!;
    const position = Number(id.slice(id.indexOf('-') + 1));
    const missed = position - place.position - 1;
    if (missed > 0) this.onGap(`${missed} events of ${addressOf(partition)} before position ${position} were missed`);
    place.position = position;
  }

  private async look(): Promise<void> {
    this.quiet = 0;
    for (const place of this.places) {
      const head = await this.broker.store.head(place.partition);
      if (head >= place.position) continue;
      const { partition, position } = place;
      this.onGap(`the feed ${addressOf(partition)} has gone back from position ${position} to ${head}`);
      place.position = head;
    }
    this.doubtful = false;
  }
}
