import type { Clock } from '../core/clock.js';
import type { RetryRecord } from '../core/commit.js';
import type { EventIndex } from '../core/event-index.js';
import { checkName } from '../core/keys.js';
import type { KeyBuilder } from '../core/keys.js';
import type { StoredState } from '../core/partition-store.js';
import type { EntryRef, Partition, ReplyAddress, Source } from '../core/partition.js';
import { InMemoryDeadLetters } from './in-memory-dead-letters.js';
import { InMemoryGroup } from './in-memory-group.js';
import type { InMemoryLease } from './in-memory-lease.js';
import { InMemoryLog } from './in-memory-log.js';
import { InMemoryReplies } from './in-memory-replies.js';
import { emptyRecord } from './in-memory-record.js';
import type { InMemoryRecord } from './in-memory-record.js';
import type { InMemoryRowIndex } from './in-memory-row-index.js';
import type { InMemoryTimers } from './in-memory-timers.js';

/** Everything the store keeps, under the keys it would have in Redis: a bad name is refused where a key is made. */
export class InMemoryData {
  readonly contexts = new Map<string, number>();
  readonly logs = new Map<string, InMemoryLog>();
  readonly groups = new Map<string, InMemoryGroup>();
  readonly streams = new Map<string, number[]>();
  /** Positions by tag and by category. */
  readonly indexes = new Map<string, number[]>();
  readonly states = new Map<string, StoredState>();
  /** When states are forgotten, ms since 1970; those that never are have none. */
  readonly stateEnds = new Map<string, number>();
  readonly views = new Map<string, Map<string, string>>();
  readonly viewIndexes = new Map<string, InMemoryRowIndex>();
  readonly timers = new Map<string, InMemoryTimers>();
  private readonly dead = new Map<string, InMemoryDeadLetters>();
  readonly commands = new Map<string, { readonly result: string; readonly until: number }>();
  readonly tombstones = new Map<string, { readonly by: string; readonly until: number }>();
  readonly replies = new Map<string, InMemoryReplies>();
  readonly leases = new Map<string, InMemoryLease>();
  /** By group: until when a process takes part. */
  readonly members = new Map<string, Map<string, number>>();
  readonly retries = new Map<string, Map<string, RetryRecord>>();
  private readonly records = new Map<string, InMemoryRecord>();

  constructor(
    readonly keys: KeyBuilder,
    readonly clock: Clock,
  ) {}

  /** The lists of one kind, by key. */
  positionsOf(kind: EventIndex['kind']): Map<string, number[]> {
    return kind === 'stream' ? this.streams : this.indexes;
  }

  log(source: Source): InMemoryLog {
    return obtain(this.logs, this.keys.log(source), () => new InMemoryLog(source));
  }

  /** The group, created at the beginning of the log where there is none. */
  group(source: Source, group: string): InMemoryGroup {
    return obtain(this.groups, this.groupKey(source, group), () => new InMemoryGroup(this.log(source), group));
  }

  findGroup(source: Source, group: string): InMemoryGroup | undefined {
    return this.groups.get(this.groupKey(source, group));
  }

  groupsOf(log: InMemoryLog): readonly InMemoryGroup[] {
    return [...this.groups.values()].filter((group) => group.log === log);
  }

  groupKey(source: Source, group: string): string {
    return `${this.keys.log(source)}:${checkName(group, 'group')}`;
  }

  deadLetters(partition: Partition): InMemoryDeadLetters {
    return obtain(this.dead, this.keys.dead(partition), () => new InMemoryDeadLetters());
  }

  retention(partition: Partition): InMemoryRecord {
    return obtain(this.records, this.keys.retention(partition)[0], emptyRecord);
  }

  repliesTo(address: ReplyAddress): InMemoryReplies {
    return obtain(this.replies, this.keys.replies(address), () => new InMemoryReplies(address.partition));
  }

  /** The failed attempts of a group, by {@link retryField}. */
  retriesOf(source: Source, group: string): Map<string, RetryRecord> {
    return obtain(this.retries, this.keys.retries(source.partition, group), () => new Map<string, RetryRecord>());
  }

  /** A state, while it is remembered. */
  state(key: string): StoredState | undefined {
    if ((this.stateEnds.get(key) ?? Number.POSITIVE_INFINITY) <= this.clock.now()) this.forgetState(key);
    return this.states.get(key);
  }

  forgetState(key: string): void {
    this.states.delete(key);
    this.stateEnds.delete(key);
  }

  /** The result of a command id, while it is remembered. */
  command(key: string): string | undefined {
    const command = this.commands.get(key);
    if (command && command.until > this.clock.now()) return command.result;
    this.commands.delete(key);
    return undefined;
  }

  /** Who undid an effect, while it is remembered. */
  tombstone(key: string): string | undefined {
    const tombstone = this.tombstones.get(key);
    if (tombstone && tombstone.until > this.clock.now()) return tombstone.by;
    this.tombstones.delete(key);
    return undefined;
  }
}

export function retryField(entry: EntryRef): string {
  return `${entry.source.log}:${entry.id}`;
}

/** The value of a key, created on first use. */
export function obtain<T>(map: Map<string, T>, key: string, create: () => T): T {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = create()));
  return value;
}
