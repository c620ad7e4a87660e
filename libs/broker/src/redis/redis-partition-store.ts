import { randomUUID } from 'node:crypto';
import type { ClaimStore } from '@millrace/transforms';
import type { Cluster, Redis } from 'ioredis';
import type { Commit, CommitResult, Write } from '../core/commit.js';
import { ConfigurationError, StoreUnavailableError } from '../core/errors.js';
import type { EventIndex, RestoredEvent } from '../core/event-index.js';
import type { ArchivedRange, Expired, Follower, GroupStart, Trimmed, TrimRequest } from '../core/follower.js';
import { checkContext, KeyBuilder } from '../core/keys.js';
import { checkOptions } from '../core/options/check-options.js';
import type { Entry, EntryRef, Partition, ReplyAddress, Source } from '../core/partition.js';
import type { PartitionFigures } from '../core/partition-figures.js';
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
import type { ListedRow, RowQuery, RowRange } from '../core/row-index.js';
import { BEHIND } from './lag-script.js';
import type { Timer } from '../core/timer.js';
import { acknowledge } from './acknowledgements.js';
import { checkReachable } from './check-reachable.js';
import { openClusterConnection } from './cluster-connection.js';
import type { ClusterConnection } from './cluster-connection.js';
import { ClusterReader } from './cluster-reader.js';
import { CommitBatcher } from './commit-batcher.js';
import { CommitCompiler } from './commit-compiler.js';
import { toDeadLetter } from './dead-letter-fields.js';
import { CrossSlotCommits } from './cross-slot-commits.js';
import { outcomeOfFirstTry } from './first-try.js';
import { inspectRedis } from './inspect-redis.js';
import { LivingClients } from './living-clients.js';
import { openConnection } from './redis-connection.js';
import { OutboxRelay } from './outbox-relay.js';
import type { RedisConnection } from './redis-connection.js';
import { RedisLeases } from './redis-leases.js';
import { RedisMembers } from './redis-members.js';
import { readIndex, readStream } from './redis-events.js';
import { RedisReader } from './redis-reader.js';
import { RedisReplies } from './redis-replies-stream.js';
import { RedisClaimStore } from './redis-claim-store.js';
import { RedisConsumers } from './redis-consumers.js';
import { RedisFollowers } from './redis-followers.js';
import { listIndexes, readPositions, restoreEvents, restorePositions } from './redis-restore.js';
import { toEntries, toMap } from './redis-replies.js';
import { STORE_RULES } from './redis-store-options.js';
import type { Delivery, RedisStoreOptions } from './redis-store-options.js';
import { survey } from './redis-survey.js';
import { archivedRange, trim } from './redis-trim.js';
import { RedisTimers } from './redis-timers.js';
import { countRows, listRows } from './redis-rows.js';
import { Script } from './script.js';

/** Partitions in Redis 7 or Valkey: the adapter of {@link PartitionStore} for production. */
export class RedisPartitionStore implements PartitionStore {
  private readonly keys: KeyBuilder;
  /** Only with `outbox` delivery. */
  readonly relay?: (partition: Partition) => Promise<number>;

  private readonly connection: RedisConnection;
  private readonly cluster: ClusterConnection | undefined;
  private readonly outbox: { readonly commits: CrossSlotCommits; readonly relay: OutboxRelay } | undefined;
  private readonly batcher: CommitBatcher;
  private readonly delivery: Delivery;
  private readonly leases: RedisLeases;
  private readonly members: RedisMembers;
  private readonly consumers: RedisConsumers;
  private readonly replies: RedisReplies;
  private readonly followers: RedisFollowers;
  private readonly timers: RedisTimers;
  private closed: Promise<void> | undefined;

  /**
   * Connects and makes sure that Redis answers.
   *
   * @throws StoreUnavailableError that says what is wrong and what to do
   */
  static async connect(options: RedisStoreOptions = {}): Promise<RedisPartitionStore> {
    const store = new RedisPartitionStore(options);
    await checkReachable(options);
    return store;
  }

  readonly claims: ClaimStore;

  /** @throws ConfigurationError for options that cannot work */
  constructor(options: RedisStoreOptions = {}) {
    checkOptions('the Redis store', options, STORE_RULES);
    this.keys = new KeyBuilder(options.namespace);
    const name = `millrace:${randomUUID()}`;
    this.delivery = deliveryOf(options);
    const deadlineMs = options.deadlineMs ?? 10_000;
    this.cluster = options.cluster && openClusterConnection(options, name, deadlineMs);
    this.connection = this.cluster ?? openConnection(options, name, deadlineMs);
    const compiler = new CommitCompiler(this.keys, this.delivery);
    this.batcher = new CommitBatcher(this.connection, compiler, options.patienceMs ?? 30_000, (commit, refused) =>
      outcomeOfFirstTry(this, commit, refused),
    );
    if (this.delivery === 'outbox') {
      const relay = new OutboxRelay(this.connection, this.keys);
      this.outbox = { commits: new CrossSlotCommits(this.connection, this.keys, compiler, this.batcher), relay };
      this.relay = (partition) => relay.relay(partition);
    }
    const clients = new LivingClients(this.connection, name);
    this.leases = new RedisLeases(this.connection, this.keys, clients);
    this.members = new RedisMembers(this.connection, this.keys, clients);
    this.consumers = new RedisConsumers(this.connection, this.keys);
    this.replies = new RedisReplies(this.connection, this.keys, options.patienceMs ?? 30_000);
    this.followers = new RedisFollowers(this.connection, this.keys);
    this.claims = new RedisClaimStore(this.connection, this.keys);
    this.timers = new RedisTimers(this.connection, this.keys, this.delivery === 'direct');
  }

  /** The client that writes, to listen to its events. Readers that wait have clients of their own. */
  get client(): Redis | Cluster {
    return this.connection.client;
  }

  async partitionsOf(context: string, fallback: number): Promise<number> {
    return this.declareContext(context, fallback);
  }

  async declareContext(context: string, partitions: number): Promise<number> {
    this.keys.log({ partition: { context, index: 0 }, log: 'in' });
    const key = this.keys.contexts();
    await this.connection.send('HSETNX', [key, context, partitions]);
    return Number(await this.connection.send('HGET', [key, context]));
  }

  async findContext(context: string): Promise<number | undefined> {
    const partitions = await this.connection.send('HGET', [this.keys.contexts(), checkContext(context)]);
    return partitions === null ? undefined : Number(partitions);
  }

  // Not async: nearly everything that is done waits for it, and three promises more each time.
  commit(commit: Commit): Promise<CommitResult> {
    if (this.closed) return Promise.reject(new StoreUnavailableError('the store has been closed'));
    return this.outbox ? this.commitAndRelay(commit, this.outbox) : this.batcher.commit(commit);
  }

  async acknowledge(requests: readonly Acknowledgement[]): Promise<readonly boolean[]> {
    if (this.closed) throw new StoreUnavailableError('the store has been closed');
    return acknowledge(this.connection, this.keys, this.delivery, requests);
  }

  async readStream(partition: Partition, stream: string, page?: Page): Promise<StreamSlice> {
    return readStream(this.connection, this.keys, partition, stream, page);
  }

  async readTagged(partition: Partition, tag: string, page?: Page): Promise<IndexSlice> {
    return readIndex(this.connection, this.keys, partition, this.keys.tagged(partition, tag), page);
  }

  async readCategory(partition: Partition, category: string, page?: Page): Promise<IndexSlice> {
    return readIndex(this.connection, this.keys, partition, this.keys.category(partition, category), page);
  }

  async readState(partition: Partition, state: string): Promise<StoredState | undefined> {
    const [revision, value] = (await this.connection.send('HMGET', [
      this.keys.state(partition, state),
      'revision',
      'value',
    ])) as (string | null)[];
    return typeof revision === 'string' ? { revision: Number(revision), value: value ?? '' } : undefined;
  }

  async readRow(partition: Partition, view: string, id: string): Promise<string | undefined> {
    const value = await this.connection.send('HGET', [this.keys.view(partition, view), id]);
    return typeof value === 'string' ? value : undefined;
  }

  async readRows(partition: Partition, view: string): Promise<ReadonlyMap<string, string>> {
    return toMap(await this.connection.send('HGETALL', [this.keys.view(partition, view)]));
  }

  async listRows(partition: Partition, view: string, query: RowQuery): Promise<readonly ListedRow[]> {
    return listRows(this.connection, this.keys, partition, view, query);
  }

  async countRows(partition: Partition, view: string, range: RowRange): Promise<number> {
    return countRows(this.connection, this.keys, partition, view, range);
  }

  async readCommand(partition: Partition, id: string): Promise<string | undefined> {
    const value = await this.connection.send('GET', [this.keys.command(partition, id)]);
    return typeof value === 'string' ? value : undefined;
  }

  async readTombstone(partition: Partition, effect: string): Promise<string | undefined> {
    const by = await this.connection.send('GET', [this.keys.tombstone(partition, effect)]);
    return typeof by === 'string' ? by : undefined;
  }

  async readFeed(partition: Partition, after: number, limit: number, backwards = false): Promise<readonly Entry[]> {
    const source: Source = { partition, log: 'feed' };
    const key = this.keys.log(source);
    const reply = backwards
      ? await this.connection.send('XREVRANGE', [
          key,
          Number.isFinite(after) ? `(0-${after}` : '+',
          '-',
          'COUNT',
          limit,
        ])
      : await this.connection.send('XRANGE', [key, `(0-${after}`, '+', 'COUNT', limit]);
    return toEntries(source, reply as unknown[]);
  }

  async listIndexes(partition: Partition, limit: number, after?: EventIndex): Promise<readonly EventIndex[]> {
    return listIndexes(this.connection, this.keys, partition, limit, after);
  }

  async readPositions(
    partition: Partition,
    index: EventIndex,
    offset: number,
    limit: number,
  ): Promise<readonly number[]> {
    return readPositions(this.connection, this.keys, partition, index, offset, limit);
  }

  async restoreEvents(partition: Partition, after: number, events: readonly RestoredEvent[]): Promise<boolean> {
    return restoreEvents(this.connection, this.keys, partition, after, events);
  }

  async restorePositions(
    partition: Partition,
    index: EventIndex,
    offset: number,
    positions: readonly number[],
  ): Promise<boolean> {
    return restorePositions(this.connection, this.keys, partition, index, offset, positions);
  }

  async head(partition: Partition): Promise<number> {
    const key = this.keys.log({ partition, log: 'feed' });
    const last = (await this.connection.send('XREVRANGE', [key, '+', '-', 'COUNT', 1])) as [string, unknown][];
    return last.length > 0 ? Number(last[0]![0].slice(2)) : 0;
  }

  async createGroup(source: Source, group: string): Promise<GroupStart> {
    return this.followers.createGroup(source, group);
  }

  async savePositions(sources: readonly Source[], group: string): Promise<void> {
    await this.followers.savePositions(sources, group);
  }

  async register(partition: Partition, followers: readonly Follower[]): Promise<void> {
    await this.followers.register(partition, followers);
  }

  async trim(source: Source, request: TrimRequest): Promise<Trimmed> {
    return trim(this.connection, this.keys, source, request);
  }

  async archivedRange(partition: Partition): Promise<ArchivedRange | undefined> {
    return archivedRange(this.connection, this.keys, partition);
  }

  survey(partition: Partition): Promise<PartitionFigures> {
    return survey(this.connection, this.keys, partition);
  }

  async readLog(source: Source, after: string, limit: number): Promise<readonly Entry[]> {
    const reply = await this.connection.send('XRANGE', [this.keys.log(source), `(${after}`, '+', 'COUNT', limit]);
    return toEntries(source, reply as unknown[]);
  }

  async expire(partition: Partition, follower: Follower, unseenMs: number): Promise<Expired | undefined> {
    return this.followers.expire(partition, follower, unseenMs);
  }

  async acquireLease(request: LeaseRequest): Promise<LeaseAnswer> {
    return this.leases.acquire(request);
  }

  async releaseLease(partition: Partition, group: string, epoch: number): Promise<void> {
    await this.leases.release(partition, group, epoch);
  }

  async attend(request: LeaseRequest): Promise<readonly string[]> {
    return this.members.attend(request);
  }

  async leave(partition: Partition, group: string, owner: string): Promise<void> {
    await this.members.leave(partition, group, owner);
  }

  async readEntry({ source, id }: EntryRef): Promise<Entry | undefined> {
    const reply = await this.connection.send('XRANGE', [this.keys.log(source), id, id]);
    return toEntries(source, reply as unknown[])[0];
  }

  async readPending(
    source: Source,
    group: string,
    after: string,
    limit: number,
    consumer?: string,
  ): Promise<readonly PendingEntry[]> {
    return this.consumers.readPending(source, group, after, limit, consumer);
  }

  async claimIdle(request: ClaimRequest): Promise<Claimed> {
    return this.consumers.claimIdle(request);
  }

  async extend(source: Source, group: string, consumer: string, ids: readonly string[]): Promise<void> {
    await this.consumers.extend(source, group, consumer, ids);
  }

  async reapConsumers(source: Source, group: string, idleMs: number): Promise<readonly string[]> {
    return this.consumers.reap(source, group, idleMs);
  }

  async pendingIds(source: Source, group: string, after: string, limit: number): Promise<readonly string[]> {
    return this.consumers.pendingIds(source, group, after, limit);
  }

  async backlog(source: Source, group: string): Promise<Backlog> {
    const key = this.keys.log(source);
    this.keys.group(group);
    const [pending, waiting] = (await BACKLOG.run(this.connection, [key], [group, source.log])) as [number, number];
    return { pending, waiting };
  }

  dueTimers(
    partitions: readonly Partition[],
    now: number,
    limit: number,
    after?: TimerPlace,
  ): Promise<{ readonly due: readonly Timer[]; readonly next: number | undefined }> {
    return this.timers.due(partitions, now, limit, after);
  }

  readTimer(partition: Partition, id: string): Promise<Timer | undefined> {
    return this.timers.read(partition, id);
  }

  listTimers(partition: Partition, page: TimerQuery): Promise<TimerPage> {
    return this.timers.list(partition, page);
  }

  async readDeadLetters(partition: Partition, limit: number, after?: string): Promise<readonly KeptLetter[]> {
    const from = after === undefined ? '-' : `(${after}`;
    const reply = await this.connection.send('XRANGE', [this.keys.dead(partition), from, '+', 'COUNT', limit]);
    return (reply as [string, string[]][]).map(toDeadLetter);
  }

  async readDeadLetter(partition: Partition, id: string): Promise<KeptLetter | undefined> {
    const reply = (await this.connection.send('XRANGE', [this.keys.dead(partition), id, id])) as [string, string[]][];
    return reply[0] && toDeadLetter(reply[0]);
  }

  async countDeadLetters(partition: Partition): Promise<number> {
    return Number(await this.connection.send('XLEN', [this.keys.dead(partition)]));
  }

  async readParked(partition: Partition, group: string): Promise<ReadonlyMap<string, string>> {
    return toMap(await this.connection.send('HGETALL', [this.keys.parked(partition, group)]));
  }

  async readHolder(partition: Partition, group: string, key: string): Promise<string | undefined> {
    const holder = await this.connection.send('HGET', [this.keys.parked(partition, group), key]);
    return typeof holder === 'string' ? holder : undefined;
  }

  async openReplies(address: ReplyAddress, ttlMs: number, readUpTo?: string): Promise<boolean> {
    return this.replies.open(address, ttlMs, readUpTo);
  }

  async closeReplies(address: ReplyAddress): Promise<void> {
    await this.replies.close(address);
  }

  async sendReply(address: ReplyAddress, message: string): Promise<boolean> {
    if (this.closed) throw new StoreUnavailableError('the store has been closed');
    return this.replies.send(address, message);
  }

  openReader(): Reader {
    return this.cluster
      ? new ClusterReader(this.cluster, this.keys)
      : new RedisReader(this.connection.duplicate(), this.keys);
  }

  inspect(): Promise<StoreReport> {
    return inspectRedis(this.connection);
  }

  close(): Promise<void> {
    return (this.closed ??= this.finish());
  }

  private async finish(): Promise<void> {
    await this.batcher.drain();
    await this.outbox?.relay.drain();
    await this.connection.quit();
  }

  private async commitAndRelay(commit: Commit, outbox: NonNullable<typeof this.outbox>): Promise<CommitResult> {
    const result = await outbox.commits.commit(commit);
    if (commit.writes.some(mayLeave)) outbox.relay.soon(commit.partition);
    return result;
  }
}

/** Whether a write may be for another partition than the commit's. */
function mayLeave(write: Write): boolean {
  if (write.kind === 'timer' || write.kind === 'cancel-timer') return write.partition !== undefined;
  return write.kind === 'emit' || write.kind === 'reply';
}

function deliveryOf({ cluster, url, delivery }: RedisStoreOptions): Delivery {
  if (!cluster) return delivery ?? 'direct';
  if (url !== undefined || cluster.length === 0) {
    throw new ConfigurationError(`redis: write either url or cluster: [{ host, port }, ...] with at least one node`);
  }
  if (delivery === 'direct') {
    throw new ConfigurationError(`redis: a cluster delivers with 'outbox', since no commit can write to two slots`);
  }
  return 'outbox';
}

/**
 * KEYS  log
 * ARGV  group, name of the log
 * Returns {pending, waiting}
 */
const BACKLOG = new Script(`#!lua flags=no-writes
${BEHIND}
local groups = redis.call('EXISTS', KEYS[1]) == 1 and redis.call('XINFO', 'GROUPS', KEYS[1]) or {}
for _, flat in ipairs(groups) do
  local group = {}
  for i = 1, #flat, 2 do group[flat[i]] = flat[i + 1] end
  if group.name == ARGV[1] then
    return {group.pending, (behind(KEYS[1], ARGV[2] == 'feed', group['last-delivered-id'], group.lag))}
  end
end
return {0, redis.call('XLEN', KEYS[1])}`);
