import type { Broker } from './broker.js';
import type { Logger } from './logger.js';
import { addressOf } from './partition.js';
import type { Partition } from './partition.js';

/** What holds a key back after the dead letter that did has been redriven. */
export const REDRIVEN = 'redriven';

/**
 * The keys of one group that are held back in its partitions, or were a moment ago: whoever consumes a partition is the only
 * one to hold a key back, so a key that is not here is free. One that is here may be free again; the commit that would park
 * a message says so.
 */
export class ParkedKeys {
  private readonly keys = new Map<string, Set<string>>();

  constructor(
    private readonly broker: Broker,
    private readonly group: string,
    private readonly logger: Logger,
  ) {}

  /** Looks up what is held back, before anything of the partition is handled under a new lease. */
  async load(partition: Partition): Promise<void> {
    const holders = await this.broker.store.readParked(partition, this.group);
    for (const key of holders.keys()) this.hold(partition, key);
    await Promise.all([...holders].map(([key, holder]) => this.release(partition, key, holder)));
  }

  mayHold(partition: Partition, key: string): boolean {
    return this.keys.get(addressOf(partition))?.has(key) ?? false;
  }

  hold(partition: Partition, key: string): void {
    const address = addressOf(partition);
    const keys = this.keys.get(address);
    if (keys) keys.add(key);
    else this.keys.set(address, new Set([key]));
  }

  free(partition: Partition, key: string): void {
    this.keys.get(addressOf(partition))?.delete(key);
  }

  /** Behind a dead letter that was removed past us, by hand or by retention, nothing waits any more. */
  private async release(partition: Partition, key: string, holder: string): Promise<void> {
    const { group } = this;
    if (holder === REDRIVEN || (await this.broker.store.readDeadLetter(partition, holder))) return;
    this.logger.warn(`${group}: what held the key '${key}' back, dead letter ${holder}, is gone: the next one follows`);
    await this.broker.commit({
      partition,
      guards: [{ kind: 'parked', group, key, behind: holder }],
      writes: [{ kind: 'unpark', group, key }],
    });
  }
}
