import { hash } from 'node:crypto';
import { ConfigurationError } from './errors.js';
import type { EventIndex } from './event-index.js';
import { addressOf, ownerOf } from './partition.js';
import type { Partition, ReplyAddress, Source } from './partition.js';

const CONTEXT = /^[a-z][a-z0-9-]{0,63}$/;
// Everything printable but what Redis, glob patterns, paths or terminals give a meaning to.
const NAME = /^[^\s{}*?[\]\\\p{C}]{1,256}$/u;

/** A context or namespace: lower-case letters, digits and hyphens, starting with a letter. */
export function checkContext(name: string, what = 'context'): string {
  if (!CONTEXT.test(name)) {
    throw new ConfigurationError(
      `${what} ${JSON.stringify(name)} cannot be used: write lower-case letters, digits and hyphens, starting with a letter`,
    );
  }
  return name;
}

/** The name of a stream, state, view, timer, group or command id: up to 256 printable characters. */
export function checkName(name: string, what: string): string {
  if (!NAME.test(name) || name.includes('..')) {
    throw new ConfigurationError(
      `${what} ${JSON.stringify(name)} cannot be used: at most 256 printable characters without spaces, braces, brackets, '*', '?', '\\' or '..'`,
    );
  }
  return name;
}

/**
 * The one place that makes Redis keys. Every key of a partition has the hash tag `{namespace:context:index}`, so all
 * live in one Cluster slot.
 */
export class KeyBuilder {
  private readonly partitions = new Map<string, PartitionKeys[]>();
  private readonly groups = new Set<string>();

  /** @param namespace separates systems that share a Redis. Default `millrace`. */
  constructor(readonly namespace = 'millrace') {
    checkContext(namespace, 'namespace');
  }

  /** STRING with large data that a message has left behind, until they expire. An id may be any text, its hash stands here. */
  claim(id: string): string {
    return `${this.namespace}:claim:${hash('sha256', id)}`;
  }

  /** STRING with the wrapped key of a data subject, whose id may be any text, so its hash stands here. */
  subjectKey(subject: string): string {
    return `${this.namespace}:subject-key:${hash('sha256', subject)}`;
  }

  /** HASH context -> number of partitions. */
  contexts(): string {
    return `${this.namespace}:contexts`;
  }

  /**
   * STREAM: `feed` holds events with ids `0-<position>`, `in` messages addressed to the context, `own:<group>` what only
   * that group reads.
   */
  log({ partition, log }: Source): string {
    const { logs, tag } = this.of(partition);
    const known = logs.get(log);
    if (known !== undefined) return known;
    const owner = ownerOf(log);
    if (owner !== undefined) this.group(owner);
    return remembered(logs, log, `${tag}:${log}`);
  }

  /** LIST of the positions of one stream's events; its length is the version. */
  stream(partition: Partition, stream: string): string {
    return `${this.tag(partition)}:s:${checkName(stream, 'stream')}`;
  }

  /** LIST of the positions of the events with a tag. */
  tagged(partition: Partition, tag: string): string {
    return `${this.tag(partition)}:t:${checkName(tag, 'tag')}`;
  }

  /** LIST of the positions of the events of all streams of a category. */
  category(partition: Partition, category: string): string {
    return `${this.tag(partition)}:c:${checkName(category, 'category')}`;
  }

  /** The list of one of these three. */
  index(partition: Partition, { kind, name }: EventIndex): string {
    if (kind === 'stream') return this.stream(partition, name);
    return kind === 'tag' ? this.tagged(partition, name) : this.category(partition, name);
  }

  /** HASH with `revision` and `value`. */
  state(partition: Partition, state: string): string {
    return `${this.tag(partition)}:state:${checkName(state, 'state')}`;
  }

  /** HASH row id -> value. */
  view(partition: Partition, view: string): string {
    return `${this.tag(partition)}:view:${checkName(view, 'view')}`;
  }

  /** ZSET of what the indexes of a view list, ordered by bytes; and HASH row id -> its members there (MessagePack). */
  viewIndex(partition: Partition, view: string): readonly [members: string, byRow: string] {
    const { viewIndexes, tag } = this.of(partition);
    const known = viewIndexes.get(view);
    if (known) return known;
    return remembered(viewIndexes, view, [
      `${tag}:view-index:${checkName(view, 'view')}`,
      `${tag}:view-entries:${view}`,
    ]);
  }

  /** ZSET timer id by due time, HASH timer id -> message, and HASH timer id -> JSON of its target and note, if any. */
  timers(partition: Partition): readonly [due: string, messages: string, details: string] {
    return this.of(partition).timers;
  }

  /** STREAM of dead letters. */
  dead(partition: Partition): string {
    return `${this.tag(partition)}:dead`;
  }

  /** HASH key of messages -> what holds them back for the group: the id of a dead letter, or `redriven`. */
  parked(partition: Partition, group: string): string {
    return `${this.tag(partition)}:parked:${this.group(group)}`;
  }

  /** LIST of the dead letters that wait for what holds their key back. A key may be any text, so it stands as a digest. */
  behind(partition: Partition, group: string, key: string): string {
    const digest = hash('sha256', key, 'base64url').slice(0, 22);
    return `${this.tag(partition)}:behind:${this.group(group)}:${digest}`;
  }

  /** STREAM of replies for one process; it expires when the process no longer keeps it alive. */
  replies({ partition, instance }: ReplyAddress): string {
    return `${this.tag(partition)}:replies:${checkName(instance, 'reply instance')}`;
  }

  /** STREAM of messages for other partitions, until they are delivered (`outbox` delivery only). */
  out(partition: Partition): string {
    return `${this.tag(partition)}:out`;
  }

  /** HASH address of a partition -> id of the last message from its `out` that was delivered here. */
  relayed(partition: Partition): string {
    return `${this.tag(partition)}:relayed`;
  }

  /**
   * HASH of what commits on this partition have taken from another one for a group: `<log>/<entry>`, until it is
   * acknowledged there, and the highest `epoch` that has done so.
   */
  taken(partition: Partition, group: string, from: Partition): string {
    return `${this.tag(partition)}:taken:${this.group(group)}:${addressOf(from)}`;
  }

  /** STRING with the result of a command id. */
  command(partition: Partition, id: string): string {
    return `${this.tag(partition)}:cmd:${checkName(id, 'command id')}`;
  }

  /** STRING with who undid an effect. An effect may be named by any text, so it stands as a digest. */
  tombstone(partition: Partition, effect: string): string {
    return `${this.tag(partition)}:tombstone:${hash('sha256', effect)}`;
  }

  /** HASH with owner, epoch, until, client. */
  lease(partition: Partition, group: string): string {
    const { leases, tag } = this.of(partition);
    return leases.get(group) ?? remembered(leases, group, `${tag}:lease:${this.group(group)}`);
  }

  /** HASH process -> when it was last seen, and the name of its connections. */
  members(partition: Partition, group: string): string {
    return `${this.tag(partition)}:members:${this.group(group)}`;
  }

  /** HASH entry -> retry record. */
  retries(partition: Partition, group: string): string {
    return `${this.tag(partition)}:retry:${this.group(group)}`;
  }

  /**
   * HASH: followers and when each was seen last, groups that expired, the first event of a stream, how far each log was
   * trimmed; and ZSET position of the feed by the time at which it was its head.
   */
  retention(partition: Partition): readonly [record: string, ages: string] {
    return this.of(partition).retention;
  }

  /** The name of a group as it is, checked. */
  group(group: string): string {
    if (!this.groups.has(group)) this.groups.add(checkName(group, 'group'));
    return group;
  }

  private tag(partition: Partition): string {
    return this.of(partition).tag;
  }

  private of({ context, index }: Partition): PartitionKeys {
    let partitions = this.partitions.get(context);
    if (!partitions) this.partitions.set(context, (partitions = []));
    return (partitions[index] ??= new PartitionKeys(`{${this.namespace}:${checkContext(context)}:${index}}`));
  }
}

/** The keys of a partition that nearly every commit needs, made once. */
class PartitionKeys {
  readonly logs = new Map<string, string>();
  readonly leases = new Map<string, string>();
  readonly viewIndexes = new Map<string, readonly [string, string]>();
  readonly timers: readonly [string, string, string];
  readonly retention: readonly [string, string];

  constructor(readonly tag: string) {
    this.timers = [`${tag}:timers`, `${tag}:timer-messages`, `${tag}:timer-details`];
    this.retention = [`${tag}:retention`, `${tag}:feed-ages`];
  }
}

/** Names of logs, groups and views are as few as a service has of them. */
function remembered<Keys extends string | readonly string[]>(map: Map<string, Keys>, name: string, keys: Keys): Keys {
  map.set(name, keys);
  return keys;
}
