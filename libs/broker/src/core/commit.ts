import type { DeadLetterReason } from './dead-letter-reason.js';
import { addressOf } from './partition.js';
import type { EntryRef, Log, Partition, ReplyAddress, Source } from './partition.js';
import type { IndexEntry } from './row-index.js';

/**
 * Everything a handler decided, as one atomic act on one partition: either every guard holds and every write happens,
 * or nothing is written.
 */
export interface Commit {
  /** The partition whose streams, states and timers are guarded and written. */
  readonly partition: Partition;
  /** Checked by kind in the order of {@link Guard}, those of one kind as given; the first that fails is reported. */
  readonly guards: readonly Guard[];
  /** Done in the order given, so a later write sees and replaces an earlier one. */
  readonly writes: readonly Write[];
}

export type Guard =
  /** The lease on `partition` for `group` still has this epoch: a zombie consumer is refused. */
  | { readonly kind: 'lease'; readonly partition: Partition; readonly group: string; readonly epoch: number }
  /** This command id has not been committed within its time to live. Committing remembers it with its result. */
  | {
      readonly kind: 'command';
      readonly id: string;
      readonly result: string;
      readonly ttlMs: number;
      /** Where it is remembered. Default: the commit's partition. */
      readonly partition?: Partition;
      readonly withAppended?: false;
    }
  /** Behind the result, where each append of the commit ended is remembered, in the commit's partition: ` <position> <version>`. */
  | {
      readonly kind: 'command';
      readonly id: string;
      readonly result: string;
      readonly ttlMs: number;
      readonly withAppended: true;
      /** Another one may be in another Cluster slot, where what was appended is not known. */
      readonly partition?: never;
    }
  /** The effect has not been undone, as far as is remembered: it has no tombstone. An effect may be named by any text. */
  | {
      readonly kind: 'tombstone';
      readonly effect: string;
      /** Where the tombstone is looked for. Default: the commit's partition. */
      readonly partition?: Partition;
    }
  /** The stream has exactly this many events; `none`: it has no event; `exists`: it has one. */
  | { readonly kind: 'version'; readonly stream: string; readonly expected: ExpectedVersion }
  /**
   * No event after this position matches one of these queries (dynamic consistency boundary, https://dcb.events), and the feed
   * has come to this position: what nobody can have seen guards nothing, and behind it the own events would not be found.
   */
  | { readonly kind: 'tags'; readonly query: readonly TagQuery[]; readonly after: number }
  /** The state has been put exactly this many times; 0: it does not exist. */
  | { readonly kind: 'revision'; readonly state: string; readonly expected: number }
  /**
   * The timer is set and due exactly then; null: it is not set. Committing does not change it, a write does that: so a
   * timer that many see is fired by one.
   */
  | {
      readonly kind: 'timer';
      readonly id: string;
      readonly due: number | null;
      /** Where the timer is kept. Default: the commit's partition. */
      readonly partition?: Partition;
    }
  /** The row of a view is exactly this text; null: it does not exist. */
  | { readonly kind: 'row'; readonly view: string; readonly id: string; readonly expected: string | null }
  /** The state is a checkpoint, JSON with a `position`, that has reached the end of the feed; with an empty feed, or none. */
  | { readonly kind: 'reached'; readonly state: string }
  /** This dead letter is there. */
  | { readonly kind: 'dead-letter'; readonly id: string }
  /** Messages of this key are held back for the group; with `behind`: by that dead letter. */
  | { readonly kind: 'parked'; readonly group: string; readonly key: string; readonly behind?: string }
  /** This entry is delivered to the group and not acknowledged. Committing acknowledges it. */
  | { readonly kind: 'input'; readonly entry: EntryRef; readonly group: string };

export type Write =
  | AppendWrite
  /** Replaces a state and counts its revision up. A deleted state begins again at revision 1. */
  | {
      readonly kind: 'put';
      readonly state: string;
      readonly value: string;
      /** The state is forgotten so long after this put, ms; 0: never. Absent: as it was said before, never at first. */
      readonly ttlMs?: number;
    }
  | { readonly kind: 'delete'; readonly state: string }
  /**
   * Moves a checkpoint to the end of the feed, behind the appends of this commit. `last` is what it keeps of the last event
   * there, absent: nothing; what else it holds stays.
   */
  | { readonly kind: 'advance'; readonly state: string; readonly last?: string }
  /**
   * Puts or deletes one row of a view (value null deletes). A row id may be any text. `entries`: where the indexes of the
   * view list the row from now on, and nowhere else; absent: the view has no index.
   */
  | {
      readonly kind: 'row';
      readonly view: string;
      readonly id: string;
      readonly value: string | null;
      readonly entries?: readonly IndexEntry[];
    }
  /**
   * Changes under which entries the indexes of a view list an id that has no row: first it is taken out of some, then listed
   * under others. Cheaper than a `row`, of which the store remembers where it is listed: here whoever writes has to know it.
   */
  | {
      readonly kind: 'list';
      readonly view: string;
      readonly id: string;
      readonly remove: readonly IndexEntry[];
      readonly add: readonly IndexEntry[];
    }
  | TombstoneWrite
  /** Removes all rows of a view, and its indexes. */
  | { readonly kind: 'drop-view'; readonly view: string }
  /** Delivers a reply to the process that waits for it; nothing is written when that process is gone. */
  | { readonly kind: 'reply'; readonly to: ReplyAddress; readonly message: string }
  /** Delivers a message to a log of any partition, its inbox unless `log` says otherwise. */
  | { readonly kind: 'emit'; readonly to: Partition; readonly log?: Log; readonly message: string }
  /** Sets or moves a timer: at `due` (integer, ms since 1970) its message arrives in a log. */
  | TimerWrite
  | { readonly kind: 'cancel-timer'; readonly id: string; readonly partition?: Partition }
  /**
   * Keeps a message that no handler could take, with the reason, in `dead` of this partition. `copy`: its fields are those
   * of this entry, byte for byte, if that is still there; `letter.fields` have lost what is no UTF-8. `park`: from now on
   * it holds its key back (`head`), or waits itself for who does (`behind`).
   */
  | {
      readonly kind: 'dead-letter';
      readonly letter: DeadLetter;
      readonly copy?: EntryRef;
      readonly park?: 'head' | 'behind';
    }
  /**
   * Moves a dead letter into the own log of its group, with these fields or, without, its own, and where it comes from
   * ({@link Origin}) before them. `parked`: the key that it held back, and goes on to hold back until it is unparked.
   */
  | {
      readonly kind: 'redrive';
      readonly id: string;
      readonly group: string;
      readonly fields?: readonly string[];
      readonly parked?: string;
    }
  /** Removes a dead letter. */
  | { readonly kind: 'discard'; readonly id: string }
  /** What held the key back is done: the next message that waits behind it comes into the own log; else the key is free. */
  | { readonly kind: 'unpark'; readonly group: string; readonly key: string }
  /** Remembers a failed attempt of a pending entry, so that attempts and backoff survive a crash. */
  | { readonly kind: 'retry'; readonly entry: EntryRef; readonly group: string; readonly record: RetryRecord }
  /** Forgets the failed attempts of an entry. */
  | { readonly kind: 'clear-retry'; readonly entry: EntryRef; readonly group: string };

/** Versions that a stream may have: exactly so many events, none, or at least one. */
export type ExpectedVersion = number | 'none' | 'exists';

/** Events that have all of these tags, at least one, and any of these types, where types are given. */
export interface TagQuery {
  readonly tags: readonly string[];
  /** CloudEvents types, as stored. Each event that has the tags is opened for it. */
  readonly types?: readonly string[];
}

/** Appends events to the feed, and their positions to the stream's list (no stream: to the feed only). */
export interface AppendWrite {
  readonly kind: 'append';
  readonly stream?: string;
  readonly events: readonly string[];
  /** The kind of stream, under which its events can be read together with others'. Only with a stream. Default: none. */
  readonly category?: string;
  /** The tags of each event, by which it can be read and guarded. Tagged events stay, as those of streams do. */
  readonly tags?: readonly (readonly string[])[];
}

/** Remembers that an effect has been undone; a later one replaces it. */
export interface TombstoneWrite {
  readonly kind: 'tombstone';
  /** Any text. */
  readonly effect: string;
  /** Who undid it: what a guard that it refuses is told. */
  readonly by: string;
  /** How long it is remembered, ms. */
  readonly ttlMs: number;
  /** Where it is kept. Default: the commit's partition. Under `outbox` delivery another one has it a moment after the commit. */
  readonly partition?: Partition;
}

export interface TimerWrite {
  readonly kind: 'timer';
  readonly id: string;
  readonly due: number;
  readonly message: string;
  /** The log its message arrives in. Default: the inbox of the partition that keeps the timer. */
  readonly to?: Source;
  /** Kept with it for whoever lists or fires it: how it recurs. */
  readonly note?: string;
  /**
   * Where it is kept. Default: the commit's partition. Another one shares no Cluster slot: under `outbox` delivery it is set
   * a moment after the commit.
   */
  readonly partition?: Partition;
}

/** What is kept of an entry between two attempts. */
export interface RetryRecord {
  /** Failed attempts so far. */
  readonly attempts: number;
  /** When to try again, ms since 1970. */
  readonly due: number;
  /** First failure, or first time it was put off, ms since 1970. */
  readonly first: number;
  readonly error: string;
  /** Times its handler was begun, once under suspicion of ending its process, and has not answered. Absent: none. */
  readonly begun?: number;
}

/** A message that no handler could take, and why. */
export interface DeadLetter {
  /** Short code: {@link KnownReason}, that of a `NonRetryableError`, or one of another version. */
  readonly reason: DeadLetterReason;
  /** What went wrong, in a sentence. */
  readonly error: string;
  /** Name of the class of what was thrown, e.g. `TypeError`; empty when it was no error. */
  readonly errorClass: string;
  readonly group: string;
  /** The original entry, also after the message has been redriven. */
  readonly entry: EntryRef;
  /** Type and key of the message, where they could be read. */
  readonly type: string | undefined;
  readonly key: string | undefined;
  /** Failed attempts since it was last redriven. */
  readonly attempts: number;
  /** Times it has been redriven. */
  readonly redriven: number;
  /** First and last failure, ms since 1970. */
  readonly first: number;
  readonly last: number;
  /** The fields of the original entry, unchanged. */
  readonly fields: readonly string[];
}

/** Where one `append` of a commit ended. */
export interface Appended {
  /** Position of its last event in the feed; the head of the feed for an append of no events. */
  readonly position: number;
  /** Version of the stream afterwards; 0 for an append without stream. */
  readonly version: number;
}

export type CommitResult =
  | { readonly status: 'committed'; readonly appended: readonly Appended[] }
  | {
      readonly status: 'refused';
      readonly guard: Guard['kind'];
      /**
       * What was found instead: the epoch (0: never held), the version, the position of the newest match or of the end of the feed,
       * the revision, the remembered result, who undid the effect, the due time
       * (`unset`: no such timer), the row or nothing, the position of the checkpoint, `gone` for a dead letter, what holds the key back (a dead letter's id, `redriven`, or
       * nothing), or `acknowledged` (also for an entry that was never delivered).
       */
      readonly found: string;
    };

/**
 * Whether repeating this commit after a lost reply cannot do its writes twice: some guard changes with its first success.
 */
export function isRepeatable(commit: Commit): boolean {
  return commit.guards.some(
    (guard) =>
      guard.kind === 'input' ||
      guard.kind === 'command' ||
      (guard.kind === 'dead-letter' &&
        commit.writes.some((w) => (w.kind === 'redrive' || w.kind === 'discard') && w.id === guard.id)) ||
      (guard.kind === 'version' &&
        guard.expected !== 'exists' &&
        commit.writes.some((w) => w.kind === 'append' && w.stream === guard.stream && w.events.length > 0)) ||
      (guard.kind === 'tags' && ownMatch(commit, guard) !== undefined) ||
      (guard.kind === 'revision' &&
        commit.writes.some((w) => w.kind === 'put' && w.state === guard.state) &&
        // A deleted state counts its revisions from the beginning, and may come back to the expected one.
        !commit.writes.some((w) => w.kind === 'delete' && w.state === guard.state)) ||
      (guard.kind === 'timer' && dueAfter(commit, guard) !== guard.due),
  );
}

/**
 * A tag by which an event of the commit itself matches a guard of it, so that its first success refuses its repetition.
 * Types are not looked at here, so a query with types has none.
 */
export function ownMatch(
  { writes }: Commit,
  { query }: Extract<Guard, { kind: 'tags' }>,
): { readonly tag: string; readonly write: AppendWrite; readonly index: number } | undefined {
  const queries = query.filter(({ types = [] }) => types.length === 0);
  for (const write of writes) {
    if (write.kind !== 'append') continue;
    for (const [index, own] of (write.tags ?? []).entries()) {
      if (index >= write.events.length) break;
      const match = queries.find(({ tags }) => tags.every((tag) => own.includes(tag)));
      if (match) return { tag: match.tags[0]!, write, index };
    }
  }
  return undefined;
}

/** When the timer is due once the commit is done; null: not set. */
function dueAfter(commit: Commit, guard: Extract<Guard, { kind: 'timer' }>): number | null {
  const home = ({ partition = commit.partition }: { readonly partition?: Partition }): string => addressOf(partition);
  return commit.writes.reduce<number | null>((due, write) => {
    if (write.kind !== 'timer' && write.kind !== 'cancel-timer') return due;
    if (write.id !== guard.id || home(write) !== home(guard)) return due;
    return write.kind === 'timer' ? write.due : null;
  }, guard.due);
}
