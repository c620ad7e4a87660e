import { addressOf } from './partition.js';
import type { EntryRef, Log, Partition, ReplyAddress, Source } from './partition.js';

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
  | { readonly kind: 'command'; readonly id: string; readonly result: string; readonly ttlMs: number }
  /** The stream has exactly this many events. */
  | { readonly kind: 'version'; readonly stream: string; readonly expected: number }
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
  /** This entry is delivered to the group and not acknowledged. Committing acknowledges it. */
  | { readonly kind: 'input'; readonly entry: EntryRef; readonly group: string };

export type Write =
  /** Appends events to the feed, and their positions to the stream's list (no stream: to the feed only). */
  | { readonly kind: 'append'; readonly stream?: string; readonly events: readonly string[] }
  /** Replaces a state and counts its revision up. A deleted state begins again at revision 1. */
  | { readonly kind: 'put'; readonly state: string; readonly value: string }
  | { readonly kind: 'delete'; readonly state: string }
  /** Puts or deletes one row of a view (value null deletes). A row id may be any text. */
  | { readonly kind: 'row'; readonly view: string; readonly id: string; readonly value: string | null }
  /** Delivers a reply to the process that waits for it; nothing is written when that process is gone. */
  | { readonly kind: 'reply'; readonly to: ReplyAddress; readonly message: string }
  /** Delivers a message to a log of any partition, its inbox unless `log` says otherwise. */
  | { readonly kind: 'emit'; readonly to: Partition; readonly log?: Log; readonly message: string }
  /** Sets or moves a timer: at `due` (integer, ms since 1970) its message arrives in a log. */
  | TimerWrite
  | { readonly kind: 'cancel-timer'; readonly id: string; readonly partition?: Partition }
  /** Keeps a message that no handler could take, with the reason, in `dead` of this partition. */
  | { readonly kind: 'dead-letter'; readonly letter: DeadLetter }
  /** Remembers a failed attempt of a pending entry, so that attempts and backoff survive a crash. */
  | { readonly kind: 'retry'; readonly entry: EntryRef; readonly group: string; readonly record: RetryRecord }
  /** Forgets the failed attempts of an entry. */
  | { readonly kind: 'clear-retry'; readonly entry: EntryRef; readonly group: string };

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
   * Where it is kept. Default: the commit's partition. Another one shares no Cluster slot: under `outbox` delivery such a
   * commit is refused.
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
  /** Short code: `handler-failed`, `crashed`, `transform-failed`, the code of an error for which no retry helps, or a `MessageErrorCode`. */
  readonly reason: string;
  /** What went wrong, in a sentence. */
  readonly error: string;
  readonly group: string;
  readonly entry: EntryRef;
  readonly attempts: number;
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
       * What was found instead: the epoch (0: never held), the version, the revision, the remembered result, the due time
       * (`unset`: no such timer), or `acknowledged` (also for an entry that was never delivered).
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
      (guard.kind === 'version' &&
        commit.writes.some((w) => w.kind === 'append' && w.stream === guard.stream && w.events.length > 0)) ||
      (guard.kind === 'revision' &&
        commit.writes.some((w) => w.kind === 'put' && w.state === guard.state) &&
        // A deleted state counts its revisions from the beginning, and may come back to the expected one.
        !commit.writes.some((w) => w.kind === 'delete' && w.state === guard.state)) ||
      (guard.kind === 'timer' && dueAfter(commit, guard) !== guard.due),
  );
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
