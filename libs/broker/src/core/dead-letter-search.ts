import type { Broker } from './broker.js';
import { checkReason } from './dead-letter-reason.js';
import { matches, parseLetterId } from './dead-letter-view.js';
import type { DeadLetterFilter } from './dead-letter-view.js';
import { ConfigurationError } from './errors.js';
import { fullNameOf } from './group-names.js';
import type { Subscriptions } from './handler.js';
import type { KeptLetter } from './dead-letter-store.js';
import type { Partition } from './partition.js';
import { readPartitions } from './read-partitions.js';

const PAGE = 200;

/** Finds dead letters where the groups of a service read, and in its own context. */
export class DeadLetterSearch {
  constructor(
    private readonly broker: Broker,
    private readonly subscriptions: Subscriptions,
  ) {}

  /**
   * What matches, partition by partition, in each the oldest first.
   *
   * @param cursor id of the last one that is not wanted any more
   * @throws ConfigurationError for a cursor that is none, a group that is not known, and a reason that is misspelt
   */
  async *walk(by: DeadLetterFilter, cursor?: string): AsyncGenerator<[Partition, KeptLetter]> {
    if (by.reason !== undefined) checkReason(by.reason);
    const filter = await this.withFullName(by);
    const begin = cursor === undefined ? undefined : parseLetterId(cursor);
    const partitions = await this.partitions();
    const isBegin = ({ context, index }: Partition): boolean =>
      context === begin?.partition.context && index === begin.partition.index;
    const first = cursor === undefined ? 0 : partitions.findIndex(isBegin);
    if (first < 0) {
      throw new ConfigurationError(`cursor ${JSON.stringify(cursor)} is none: pass the one of the page before`);
    }
    for (const partition of partitions.slice(first)) {
      if (filter.context !== undefined && filter.context !== partition.context) continue;
      for (let after = isBegin(partition) ? begin!.id : undefined; ;) {
        const letters = await this.broker.store.readDeadLetters(partition, PAGE, after);
        for (const letter of letters) if (matches(letter, filter)) yield [partition, letter];
        if (letters.length < PAGE) break;
        after = letters.at(-1)!.id;
      }
    }
  }

  private async withFullName(filter: DeadLetterFilter): Promise<DeadLetterFilter> {
    if (filter.group === undefined) return filter;
    return { ...filter, group: await fullNameOf(this.subscriptions, filter.group, () => this.groups()) };
  }

  /** The names of all groups that read where it looks, and of those whose letters are left. */
  private async groups(): Promise<ReadonlySet<string>> {
    const names = new Set<string>();
    for (const partition of await this.partitions()) {
      const { followers } = await this.broker.store.survey(partition);
      for (const { follower } of followers) if (follower.kind === 'group') names.add(follower.group);
    }
    for await (const [, { group }] of this.walk({})) names.add(group);
    return names;
  }

  /** Where it looks. */
  partitions(): Promise<readonly Partition[]> {
    return readPartitions(this.broker, this.subscriptions);
  }
}
