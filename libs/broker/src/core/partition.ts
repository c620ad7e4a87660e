/** One unit of order, atomicity and scale of a context. All its keys live in one slot. */
export interface Partition {
  readonly context: string;
  /** 0 .. partitions-1 */
  readonly index: number;
}

/**
 * The logs of a partition: `feed` holds the events of its context, `in` the commands and replies addressed to it,
 * `own:<group>` what only that group may see: redriven dead letters, what it has put off.
 */
export type Log = 'feed' | 'in' | OwnLog;

/** The log of a partition that only one group reads. Every consumer of the group reads it beside its other logs. */
export type OwnLog = `own:${string}`;

const OWN = 'own:';

/** The log of a partition that only this group reads. */
export function ownLog(group: string): OwnLog {
  return `${OWN}${group}`;
}

/** The group whose own log it is; undefined for `feed` and `in`. */
export function ownerOf(log: Log): string | undefined {
  return log !== 'feed' && log !== 'in' ? log.slice(OWN.length) : undefined;
}

/** A log that can be consumed. */
export interface Source {
  readonly partition: Partition;
  readonly log: Log;
}

/** One entry of one log. */
export interface EntryRef {
  readonly source: Source;
  /** Stream id. In a feed it is `0-<position>`. */
  readonly id: string;
}

/** A log entry as stored: names and values alternating. */
export interface Entry extends EntryRef {
  readonly fields: readonly string[];
}

/** Address of a partition, `<context>/<index>`, as it stands in `replyto`. */
export function addressOf(partition: Partition): string {
  return `${partition.context}/${partition.index}`;
}

/** Reads an address; undefined when the text is none. */
export function parseAddress(address: string): Partition | undefined {
  const match = /^([a-z][a-z0-9-]*)\/(\d{1,4})$/.exec(address);
  return match ? { context: match[1]!, index: Number(match[2]) } : undefined;
}

/** Where one process waits for replies: a stream of its own, in a partition of its context. */
export interface ReplyAddress {
  readonly partition: Partition;
  /** Unique per process start. */
  readonly instance: string;
}

/** A reply as stored: names and values alternating. */
export interface ReplyEntry {
  readonly id: string;
  readonly fields: readonly string[];
}

/** The address of one process, `<context>/<index>#<instance>`, as it stands in `replyto`. */
export function replyAddressOf({ partition, instance }: ReplyAddress): string {
  return `${addressOf(partition)}#${instance}`;
}

/** Reads the address of a process; undefined when the text is none, as the address of a partition. */
export function parseReplyAddress(address: string): ReplyAddress | undefined {
  const hash = address.indexOf('#');
  if (hash < 0) return undefined;
  const partition = parseAddress(address.slice(0, hash));
  const instance = address.slice(hash + 1);
  return partition && /^[A-Za-z0-9-]{1,64}$/.test(instance) ? { partition, instance } : undefined;
}

/**
 * The partition of a key: FNV-1a of its UTF-8 bytes, modulo the number of partitions. Fixed for ever: stored data depend on it.
 */
export function partitionOf(key: string, partitions: number): number {
  if (partitions === 1) return 0;
  let hash = FNV_BASIS;
  for (let i = 0; i < key.length; i++) {
    const unit = key.charCodeAt(i);
    // ASCII, the usual case, is its own UTF-8: no bytes have to be made.
    if (unit > 0x7f) return hashOf(Buffer.from(key)) % partitions;
    hash = Math.imul(hash ^ unit, FNV_PRIME);
  }
  return (hash >>> 0) % partitions;
}

const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

function hashOf(bytes: Uint8Array): number {
  let hash = FNV_BASIS;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, FNV_PRIME);
  return hash >>> 0;
}
