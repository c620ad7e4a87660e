import { InMemoryClaimStore } from '@millrace/transforms';
import type { ClaimStore } from '@millrace/transforms';
import { HOLDER } from '../core/consumer-names.js';
import { systemClock } from '../core/clock.js';
import type { Clock } from '../core/clock.js';
import type { Commit, CommitResult } from '../core/commit.js';
import type { ArchivedRange, Expired, Follower, GroupStart, Trimmed, TrimRequest } from '../core/follower.js';
import { checkContext, checkName, KeyBuilder } from '../core/keys.js';
import type { KeptLetter } from '../core/dead-letter-store.js';
import type { IndexSlice, Page, StreamSlice } from '../core/event-reads.js';
import type {
  Acknowledgement,
  Backlog,
  Claimed,
  ClaimRequest,
  LeaseAnswer,
  LeaseRequest,
  PendingEntry,
} from '../core/group-store.js';
import type { PartitionStore, StoredState, StoreReport } from '../core/partition-store.js';
import type { Reader } from '../core/reader.js';
import type { TimerPage, TimerPlace, TimerQuery } from '../core/timer-store.js';
import type { Entry, EntryRef, Partition, ReplyAddress, Source } from '../core/partition.js';
import type { EventIndex, RestoredEvent } from '../core/event-index.js';
import type { PartitionFigures } from '../core/partition-figures.js';
import { rangeOf } from '../core/row-index.js';
import type { ListedRow, RowQuery, RowRange } from '../core/row-index.js';
import type { Timer } from '../core/timer.js';
import { commitInMemory } from './in-memory-commit.js';
import { InMemoryData, obtain, retryField } from './in-memory-data.js';
import { acquire, release } from './in-memory-lease.js';
import { readIndexInMemory, readStreamInMemory } from './in-memory-index.js';
import {
  listIndexesInMemory,
  readPositionsInMemory,
  restoreEventsInMemory,
  restorePositionsInMemory,
} from './in-memory-restore.js';
import { InMemoryReader } from './in-memory-reader.js';
import { createGroupInMemory, expireInMemory, registerInMemory, trimInMemory } from './in-memory-retention.js';
import { surveyInMemory } from './in-memory-survey.js';

/**
 * The reference adapter: partitions in the memory of one process, for tests and demonstrations.
 *
 * Services that talk to each other share one instance. It outlives them: `close()` ends nothing and keeps everything.
 *
 * @example
 * const store = new InMemoryPartitionStore();
 * BrokerModule.forRoot({ context: 'catalog', store });
 */
export class InMemoryPartitionStore implements PartitionStore {
  readonly claims: ClaimStore;
  private readonly data: InMemoryData;

  /** @param options.clock the time of leases, command ids and inbox ids. Default: the system's. */
  constructor(options: { readonly clock?: Clock } = {}) {
    const clock = options.clock ?? systemClock;
    this.data = new InMemoryData(new KeyBuilder(), clock);
    this.claims = new InMemoryClaimStore(() => clock.now());
  }

  async partitionsOf(context: string, fallback: number): Promise<number> {
    return obtain(this.data.contexts, checkContext(context), () => fallback);
  }

  async declareContext(context: string, partitions: number): Promise<number> {
    return this.partitionsOf(context, partitions);
  }

  async findContext(context: string): Promise<number | undefined> {
    return this.data.contexts.get(checkContext(context));
  }

  async commit(commit: Commit): Promise<CommitResult> {
    return commitInMemory(this.data, commit);
  }

  async acknowledge(requests: readonly Acknowledgement[]): Promise<readonly boolean[]> {
    return requests.map(({ source, group, epoch, ids }) => {
      const lease = this.data.leases.get(this.data.keys.lease(source.partition, group));
      if (epoch !== undefined && lease?.epoch !== epoch) return false;
      for (const id of ids) this.data.group(source, group).acknowledge(id);
      return true;
    });
  }

  /**
   * Adds a message written by hand, as a plain `XADD` does in Redis.
   *
   * @param fields names and values alternating
   * @returns the id of the entry
   */
  async append(source: Source, fields: readonly string[]): Promise<string> {
    return this.data.log(source).append(fields, this.data.clock.now());
  }

  async readStream(partition: Partition, stream: string, page: Page = {}): Promise<StreamSlice> {
    const positions = this.data.streams.get(this.data.keys.stream(partition, stream)) ?? [];
    return readStreamInMemory(this.feed(partition), positions, page);
  }

  async readTagged(partition: Partition, tag: string, page: Page = {}): Promise<IndexSlice> {
    return this.readIndex(partition, this.data.keys.tagged(partition, tag), page);
  }

  async readCategory(partition: Partition, category: string, page: Page = {}): Promise<IndexSlice> {
    return this.readIndex(partition, this.data.keys.category(partition, category), page);
  }

  async readState(partition: Partition, state: string): Promise<StoredState | undefined> {
    return this.data.state(this.data.keys.state(partition, state));
  }

  async readRow(partition: Partition, view: string, id: string): Promise<string | undefined> {
    return this.data.views.get(this.data.keys.view(partition, view))?.get(id);
  }

  async readRows(partition: Partition, view: string): Promise<ReadonlyMap<string, string>> {
    return new Map(this.data.views.get(this.data.keys.view(partition, view)));
  }

  async listRows(partition: Partition, view: string, query: RowQuery): Promise<readonly ListedRow[]> {
    rangeOf(query);
    const rows = this.data.views.get(this.data.keys.view(partition, view));
    const places = this.data.viewIndexes.get(this.data.keys.viewIndex(partition, view)[0])?.page(query) ?? [];
    return places.map((place) => ({ ...place, row: rows?.get(place.id) ?? '' }));
  }

  async countRows(partition: Partition, view: string, range: RowRange): Promise<number> {
    rangeOf({ ...range, limit: 1 });
    return this.data.viewIndexes.get(this.data.keys.viewIndex(partition, view)[0])?.count(range) ?? 0;
  }

  async readCommand(partition: Partition, id: string): Promise<string | undefined> {
    return this.data.command(this.data.keys.command(partition, id));
  }

  async readTombstone(partition: Partition, effect: string): Promise<string | undefined> {
    return this.data.tombstone(this.data.keys.tombstone(partition, effect));
  }

  async readFeed(partition: Partition, after: number, limit: number, backwards = false): Promise<readonly Entry[]> {
    const feed = this.feed(partition);
    return backwards ? feed.before(after, limit) : feed.after(after, limit);
  }

  async listIndexes(partition: Partition, limit: number, after?: EventIndex): Promise<readonly EventIndex[]> {
    return listIndexesInMemory(this.data, partition, limit, after);
  }

  async readPositions(
    partition: Partition,
    index: EventIndex,
    offset: number,
    limit: number,
  ): Promise<readonly number[]> {
    return readPositionsInMemory(this.data, partition, index, offset, limit);
  }

  async restoreEvents(partition: Partition, after: number, events: readonly RestoredEvent[]): Promise<boolean> {
    return restoreEventsInMemory(this.data, partition, after, events);
  }

  async restorePositions(
    partition: Partition,
    index: EventIndex,
    offset: number,
    positions: readonly number[],
  ): Promise<boolean> {
    return restorePositionsInMemory(this.data, partition, index, offset, positions);
  }

  async head(partition: Partition): Promise<number> {
    return this.feed(partition).length;
  }

  async createGroup(source: Source, group: string): Promise<GroupStart> {
    return createGroupInMemory(this.data, source, group);
  }

  async register(partition: Partition, followers: readonly Follower[]): Promise<void> {
    registerInMemory(this.data, partition, followers);
  }

  async trim(source: Source, request: TrimRequest): Promise<Trimmed> {
    return trimInMemory(this.data, source, request);
  }

  async archivedRange(partition: Partition): Promise<ArchivedRange | undefined> {
    return this.data.retention(partition).archived;
  }

  async survey(partition: Partition): Promise<PartitionFigures> {
    return surveyInMemory(this.data, partition);
  }

  async readLog(source: Source, after: string, limit: number): Promise<readonly Entry[]> {
    const log = this.data.log(source);
    return log.after(log.trimmed + log.countUpTo(after), limit);
  }

  async expire(partition: Partition, follower: Follower, unseenMs: number): Promise<Expired | undefined> {
    return expireInMemory(this.data, partition, follower, unseenMs);
  }

  async savePositions(): Promise<void> {
    // In memory no group is ever lost.
  }

  async acquireLease(request: LeaseRequest): Promise<LeaseAnswer> {
    const key = this.data.keys.lease(request.partition, request.group);
    const { lease, answer } = acquire(this.data.leases.get(key), request, this.data.clock.now());
    this.data.leases.set(key, lease);
    return answer;
  }

  async releaseLease(partition: Partition, group: string, epoch: number): Promise<void> {
    const key = this.data.keys.lease(partition, group);
    const lease = this.data.leases.get(key);
    if (lease) this.data.leases.set(key, release(lease, epoch));
  }

  async attend({ partition, group, owner, ttlMs }: LeaseRequest): Promise<readonly string[]> {
    const members = obtain(this.data.members, this.data.keys.members(partition, group), () => new Map());
    const now = this.data.clock.now();
    members.set(owner, now + ttlMs);
    for (const [member, until] of members) if (until <= now) members.delete(member);
    return [...members.keys()].sort();
  }

  async leave(partition: Partition, group: string, owner: string): Promise<void> {
    this.data.members.get(this.data.keys.members(partition, group))?.delete(owner);
  }

  async readEntry({ source, id }: EntryRef): Promise<Entry | undefined> {
    return this.data.log(source).entries.find((entry) => entry.id === id);
  }

  async readPending(
    source: Source,
    group: string,
    after: string,
    limit: number,
    consumer = HOLDER,
  ): Promise<readonly PendingEntry[]> {
    const now = this.data.clock.now();
    return this.withRetries(source, group, this.data.findGroup(source, group)?.redeliver(after, limit, now, consumer));
  }

  async claimIdle({ source, group, consumer, idleMs, cursor, limit }: ClaimRequest): Promise<Claimed> {
    const now = this.data.clock.now();
    const found = this.data.findGroup(source, group)?.claim(cursor, limit, now - idleMs, now, consumer);
    return { cursor: found?.next ?? '0-0', entries: this.withRetries(source, group, found?.entries) };
  }

  async extend(source: Source, group: string, consumer: string, ids: readonly string[]): Promise<void> {
    this.data.findGroup(source, group)?.extend(ids, this.data.clock.now(), consumer);
  }

  async reapConsumers(source: Source, group: string, idleMs: number): Promise<readonly string[]> {
    return this.data.findGroup(source, group)?.reap(this.data.clock.now() - idleMs) ?? [];
  }

  private withRetries(
    source: Source,
    group: string,
    entries: readonly (Entry & { readonly deliveries: number })[] = [],
  ): PendingEntry[] {
    const retries = this.data.retriesOf(source, group);
    return entries.map((entry) => ({ ...entry, retry: retries.get(retryField(entry)) }));
  }

  async pendingIds(source: Source, group: string, after: string, limit: number): Promise<readonly string[]> {
    return this.data.findGroup(source, group)?.pendingIds(after, limit) ?? [];
  }

  async backlog(source: Source, group: string): Promise<Backlog> {
    const found = this.data.findGroup(source, group);
    return found?.backlog() ?? { pending: 0, waiting: this.data.log(source).entries.length };
  }

  async dueTimers(
    partitions: readonly Partition[],
    now: number,
    limit: number,
    after?: TimerPlace,
  ): Promise<{ readonly due: readonly Timer[]; readonly next: number | undefined }> {
    if (after) checkName(after.id, 'timer');
    const found = partitions.flatMap((partition) => this.timersOf(partition)?.due(now, limit, after) ?? []);
    const nexts = found.flatMap(({ next }) => next ?? []);
    return { due: found.flatMap(({ due }) => due), next: nexts.length > 0 ? Math.min(...nexts) : undefined };
  }

  async readTimer(partition: Partition, id: string): Promise<Timer | undefined> {
    return this.timersOf(partition)?.get(checkName(id, 'timer'));
  }

  async listTimers(partition: Partition, page: TimerQuery): Promise<TimerPage> {
    if (page.prefix !== '') checkName(page.prefix, 'prefix of timers');
    return this.timersOf(partition)?.list(page) ?? { timers: [], cursor: undefined };
  }

  async readDeadLetters(partition: Partition, limit: number, after = '0'): Promise<readonly KeptLetter[]> {
    return this.data.deadLetters(partition).after(after).slice(0, limit);
  }

  async readDeadLetter(partition: Partition, id: string): Promise<KeptLetter | undefined> {
    return this.data.deadLetters(partition).get(id);
  }

  async countDeadLetters(partition: Partition): Promise<number> {
    return this.data.deadLetters(partition).size;
  }

  async readParked(partition: Partition, group: string): Promise<ReadonlyMap<string, string>> {
    this.data.keys.parked(partition, group);
    return new Map(this.data.deadLetters(partition).parkedOf(group).holders);
  }

  async readHolder(partition: Partition, group: string, key: string): Promise<string | undefined> {
    return (await this.readParked(partition, group)).get(key);
  }

  async openReplies(address: ReplyAddress, ttlMs: number, readUpTo?: string): Promise<boolean> {
    return this.data.repliesTo(address).open(this.data.clock.now(), ttlMs, readUpTo);
  }

  async closeReplies(address: ReplyAddress): Promise<void> {
    this.data.replies.delete(this.data.keys.replies(address));
  }

  async sendReply(address: ReplyAddress, message: string): Promise<boolean> {
    return this.data.repliesTo(address).add(message, this.data.clock.now());
  }

  openReader(): Reader {
    return new InMemoryReader(this.data);
  }

  async inspect(): Promise<StoreReport> {
    return {
      server: 'memory',
      version: process.version,
      warnings: ['everything is lost when this process ends: configure Redis to keep it'],
    };
  }

  async close(): Promise<void> {
    // The other services of the process go on using it.
  }

  private timersOf(partition: Partition) {
    return this.data.timers.get(this.data.keys.timers(partition)[0]);
  }

  private readIndex(partition: Partition, key: string, page: Page): IndexSlice {
    return readIndexInMemory(this.feed(partition), this.data.indexes.get(key) ?? [], page);
  }

  private feed(partition: Partition) {
    return this.data.log({ partition, log: 'feed' });
  }
}
