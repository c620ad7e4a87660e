import type { Log } from './partition.js';

/**
 * Whoever must not miss an entry of a partition: a consumer group of one of its logs, or a reader of the feed that keeps
 * its place in a state. Nothing that a follower has not done with is ever trimmed away.
 */
export type Follower = GroupFollower | CheckpointFollower;

/** A consumer group of one log. */
export interface GroupFollower {
  readonly kind: 'group';
  readonly log: Log;
  readonly group: string;
}

/** A reader of the feed. Its state holds a JSON object whose `position` is the last event it has done with. */
export interface CheckpointFollower {
  readonly kind: 'checkpoint';
  readonly state: string;
}

/** How a group stands after it was created. */
export interface GroupStart {
  /** `restored`: it had expired, and goes on where it was, with what it had left unfinished. */
  readonly status: 'existed' | 'created' | 'restored';
  /** Whether entries it had not read, or not finished, were trimmed while it was expired. */
  readonly missed: boolean;
  /** Of a group of a feed that was created or missed entries: events in the archive, where no group reads. Absent: none. */
  readonly archived?: ArchivedRange;
}

/** What a follower had left when it expired. */
export interface Expired {
  readonly unread: number;
  readonly pending: number;
}

/** Asks for the removal of entries that nobody needs any more. */
export interface TrimRequest {
  /** Entries younger than this stay, ms. In a feed age counts from when a trim first saw it, to within 1 %. */
  readonly keepMs?: number;
  /** So many of the newest entries stay. With `keepMs` an entry may go as soon as one of the two lets it go. */
  readonly keepLength?: number;
  /** Events of streams and tagged ones may go as well: they are archived. Default: they stay. */
  readonly streams?: boolean;
  /** Nothing behind this entry goes. */
  readonly upTo?: string;
  /** Entries at most, in steps of a node of the stream; 0: only look. */
  readonly limit: number;
}

/** Events that have gone from a feed into an archive, by their positions. */
export interface ArchivedRange {
  readonly from: number;
  readonly to: number;
}

/** What a trim did. */
export interface Trimmed {
  /** Entries removed. */
  readonly count: number;
  /** Everything before this entry id may go, or has gone. */
  readonly before: string;
  /** Whether there is more that may go at once. */
  readonly more: boolean;
  /** Who keeps entries that the request would let go; undefined when nobody does. */
  readonly heldBy: Holder | undefined;
}

/** `stream`: the next event belongs to a stream, whose state is made of it. `nobody`: the log has no group yet. */
export type Holder = Follower | { readonly kind: 'stream' } | { readonly kind: 'nobody' };
