import type { Commit, Guard, TimerWrite, Write } from '../core/commit.js';
import { checkName } from '../core/keys.js';
import type { KeyBuilder } from '../core/keys.js';
import { ORIGIN_FIELDS } from '../core/origin.js';
import { addressOf, ownLog, replyAddressOf } from '../core/partition.js';
import type { EntryRef, Partition } from '../core/partition.js';
import { memberOf } from '../core/row-index.js';
import { keyedQuery } from '../core/tag-query.js';
import type { Part } from './commit-op.js';
import { deadLetterFields } from './dead-letter-fields.js';
import { isIndexed } from './indexing.js';
import type { Delivery } from './redis-store-options.js';
import { timerDetails } from './timer-fields.js';

/** What a commit takes from a partition in another slot: the entry, and under which epoch of which group. */
export interface TakenInput {
  readonly from: Partition;
  readonly group: string;
  /** Absent: no lease is held. */
  readonly epoch?: number;
  /** Absent: only the lease is there. */
  readonly entry?: EntryRef;
}

/** Each guard and write of a commit as an op of a script, with its keys and values. */
export class CommitParts {
  constructor(
    private readonly keys: KeyBuilder,
    private readonly delivery: Delivery,
  ) {}

  /** A state's next revision is known where the last one is guarded, and nothing else of the commit changes it. */
  putAs({ partition, guards, writes }: Commit, write: Write): Part | undefined {
    if (write.kind !== 'put' || write.ttlMs !== undefined) return undefined;
    const { state, value } = write;
    const guard = guards.find((each) => each.kind === 'revision' && each.state === state);
    if (guard?.kind !== 'revision') return undefined;
    if (writes.some((other) => other !== write && 'state' in other && other.state === state)) return undefined;
    return { op: 'put-as', keys: [this.keys.state(partition, state)], args: [guard.expected + 1, value] };
  }

  /** Whether a commit on a partition may write to another one itself. */
  private isNear(partition: Partition, to: Partition): boolean {
    return this.delivery === 'direct' || addressOf(partition) === addressOf(to);
  }

  guard(partition: Partition, guard: Guard): Part {
    switch (guard.kind) {
      case 'lease':
        return { op: 'lease', keys: [this.keys.lease(guard.partition, guard.group)], args: [guard.epoch] };
      case 'command':
        return { op: 'command', keys: [this.keys.command(guard.partition ?? partition, guard.id)], args: [] };
      case 'tombstone':
        return { op: 'standing', keys: [this.keys.tombstone(guard.partition ?? partition, guard.effect)], args: [] };
      case 'version':
        return this.versionGuard(partition, guard);
      case 'tags': {
        const queries = guard.query.map((query) => keyedQuery(this.keys, partition, query));
        const feed = this.keys.log({ partition, log: 'feed' });
        return {
          op: 'tags',
          keys: [feed, ...queries.flatMap(({ keys }) => keys)],
          args: [
            guard.after,
            queries.length,
            ...queries.flatMap(({ keys, types }) => [keys.length, types.length, ...types]),
          ],
        };
      }
      case 'revision':
        return { op: 'revision', keys: [this.keys.state(partition, guard.state)], args: [guard.expected] };
      case 'row': {
        const keys = [this.keys.view(partition, guard.view)];
        return guard.expected === null
          ? { op: 'no-row', keys, args: [guard.id] }
          : { op: 'row-is', keys, args: [guard.id, guard.expected] };
      }
      case 'reached':
        return { op: 'reached', keys: this.checkpoint(partition, guard.state), args: [] };
      case 'timer': {
        const [timers] = this.keys.timers(guard.partition ?? partition);
        return { op: 'due', keys: [timers], args: [checkName(guard.id, 'timer'), guard.due ?? -1] };
      }
      case 'dead-letter':
        return { op: 'dead-letter-there', keys: [this.keys.dead(partition)], args: [guard.id] };
      case 'parked': {
        const parked = [this.keys.parked(partition, guard.group)];
        return guard.behind === undefined
          ? { op: 'parked', keys: parked, args: [guard.key] }
          : { op: 'parked-behind', keys: parked, args: [guard.key, guard.behind] };
      }
      case 'input':
        return {
          op: 'input',
          keys: [this.keys.log(guard.entry.source)],
          args: [this.keys.group(guard.group), guard.entry.id],
        };
    }
  }

  private versionGuard(partition: Partition, { stream, expected }: Extract<Guard, { kind: 'version' }>): Part {
    const keys = [this.keys.stream(partition, stream)];
    if (expected === 'exists') return { op: 'exists', keys, args: [] };
    return { op: 'version', keys, args: [expected === 'none' ? 0 : expected] };
  }

  fence(partition: Partition, { from, group, epoch }: TakenInput): Part[] {
    return epoch === undefined ? [] : [{ op: 'fence', keys: [this.keys.taken(partition, group, from)], args: [epoch] }];
  }

  mark(partition: Partition, { from, group, entry }: TakenInput): Part[] {
    return entry ? [{ op: 'take', keys: [this.keys.taken(partition, group, from)], args: [entryField(entry)] }] : [];
  }

  remember(partition: Partition, guard: Extract<Guard, { kind: 'command' }>): Part {
    return {
      op: guard.withAppended ? 'remember-appended' : 'remember',
      keys: [this.keys.command(guard.partition ?? partition, guard.id)],
      args: [guard.result, guard.ttlMs],
    };
  }

  private deadLetter(partition: Partition, { letter, copy }: Extract<Write, { kind: 'dead-letter' }>): Part {
    const dead = this.keys.dead(partition);
    this.keys.group(letter.group);
    const args = deadLetterFields(letter);
    if (!copy) return { op: 'dead-letter', keys: [dead], args };
    // What stands before the message itself in an own log is no part of it.
    const itself = copy.id === letter.entry.id && copy.source.log === letter.entry.source.log;
    const skipped = itself ? 0 : ORIGIN_FIELDS;
    return { op: 'dead-letter-copy', keys: [dead, this.keys.log(copy.source)], args: [...args, copy.id, skipped] };
  }

  /** What a parked dead letter has to do with its key. */
  park(partition: Partition, { letter, park }: Extract<Write, { kind: 'dead-letter' }>): Part {
    const { group, key = '' } = letter;
    return park === 'head'
      ? { op: 'park', keys: [this.keys.parked(partition, group)], args: [key] }
      : { op: 'wait-behind', keys: [this.keys.behind(partition, group, key)], args: [] };
  }

  private parkedKeys(partition: Partition, group: string): string[] {
    const own = this.keys.log({ partition, log: ownLog(group) });
    return [this.keys.dead(partition), own, this.keys.parked(partition, group)];
  }

  write(partition: Partition, write: Write): Part {
    switch (write.kind) {
      case 'append': {
        const indexed = isIndexed(write) ? '-indexed' : '';
        const feed = this.keys.log({ partition, log: 'feed' });
        return write.stream === undefined
          ? { op: `publish${indexed}`, keys: [feed], args: [write.events.length, ...write.events] }
          : {
              op: `append${indexed}`,
              keys: [feed, this.keys.stream(partition, write.stream), this.keys.retention(partition)[0]],
              args: [write.events.length, ...write.events],
            };
      }
      case 'put':
        return write.ttlMs === undefined
          ? { op: 'put', keys: [this.keys.state(partition, write.state)], args: [write.value] }
          : { op: 'put-for', keys: [this.keys.state(partition, write.state)], args: [write.value, write.ttlMs] };
      case 'delete':
        return { op: 'delete', keys: [this.keys.state(partition, write.state)], args: [] };
      case 'advance':
        return { op: 'advance', keys: this.checkpoint(partition, write.state), args: [write.last ?? ''] };
      case 'row':
        return this.row(partition, write);
      case 'list': {
        const { view, id, remove, add } = write;
        const args: (string | number)[] = [remove.length, 2 * add.length];
        for (const entry of remove) args.push(memberOf(entry, id));
        for (const entry of add) args.push(0, memberOf(entry, id));
        return { op: 'list', keys: [this.keys.viewIndex(partition, view)[0]], args };
      }
      case 'tombstone':
        return {
          op: 'tombstone',
          keys: [this.keys.tombstone(write.partition ?? partition, write.effect)],
          args: [write.by, write.ttlMs],
        };
      case 'drop-view':
        return { op: 'drop-view', keys: this.viewKeys(partition, write.view), args: [] };
      case 'emit':
        return this.emit(partition, write);
      case 'reply': {
        // Makes the key in any case: that checks the address.
        const key = this.keys.replies(write.to);
        return this.isNear(partition, write.to.partition)
          ? { op: 'reply', keys: [key], args: [write.message] }
          : { op: 'out', keys: [this.keys.out(partition)], args: [replyAddressOf(write.to), write.message] };
      }
      case 'timer':
        return this.timer(partition, write);
      case 'cancel-timer': {
        const at = write.partition ?? partition;
        const id = checkName(write.id, 'timer');
        return this.isNear(partition, at)
          ? { op: 'cancel-timer', keys: this.keys.timers(at), args: [id] }
          : { op: 'out-cancel', keys: [this.keys.out(partition)], args: [addressOf(at), id] };
      }
      case 'dead-letter':
        return this.deadLetter(partition, write);
      case 'redrive':
        return {
          op: 'redrive',
          keys: this.parkedKeys(partition, write.group),
          args: [write.fields?.length ?? 0, write.id, write.parked ?? '', ...(write.fields ?? [])],
        };
      case 'discard':
        return { op: 'discard', keys: [this.keys.dead(partition)], args: [write.id] };
      case 'unpark':
        return {
          op: 'unpark',
          keys: [...this.parkedKeys(partition, write.group), this.keys.behind(partition, write.group, write.key)],
          args: [write.key],
        };
      case 'retry':
        return {
          op: 'retry',
          keys: [this.keys.retries(write.entry.source.partition, write.group)],
          args: [entryField(write.entry), JSON.stringify(write.record)],
        };
      case 'clear-retry':
        return {
          op: 'clear-retry',
          keys: [this.keys.retries(write.entry.source.partition, write.group)],
          args: [entryField(write.entry)],
        };
    }
  }

  private row(partition: Partition, { view, id, value, entries }: Extract<Write, { kind: 'row' }>): Part {
    const keys = entries ? this.viewKeys(partition, view) : [this.keys.view(partition, view)];
    if (!entries)
      return value === null ? { op: 'delete-row', keys, args: [id] } : { op: 'row', keys, args: [id, value] };
    if (value === null) return { op: 'unlist-row', keys, args: [id] };
    const members = [...new Set(entries.map((entry) => memberOf(entry, id)))];
    return { op: 'list-row', keys, args: [members.length, id, value, ...members] };
  }

  private checkpoint(partition: Partition, state: string): readonly string[] {
    return [this.keys.state(partition, state), this.keys.log({ partition, log: 'feed' })];
  }

  private viewKeys(partition: Partition, view: string): readonly string[] {
    return [this.keys.view(partition, view), ...this.keys.viewIndex(partition, view)];
  }

  private timer(home: Partition, write: TimerWrite): Part {
    const at = write.partition ?? home;
    const keys = this.keys.timers(at);
    const args = [checkName(write.id, 'timer'), write.due, write.message];
    const details = timerDetails(write);
    if (write.to) this.keys.log(write.to);
    if (!this.isNear(home, at)) {
      return { op: 'out-timer', keys: [this.keys.out(home)], args: [addressOf(at), ...args, details ?? ''] };
    }
    return details === undefined
      ? { op: 'timer', keys, args }
      : { op: 'detailed-timer', keys, args: [...args, details] };
  }

  private emit(home: Partition, { to, log = 'in', message }: Extract<Write, { kind: 'emit' }>): Part {
    const key = this.keys.log({ partition: to, log });
    if (this.isNear(home, to)) {
      return { op: log === 'feed' ? 'emit-event' : 'emit', keys: [key], args: [message] };
    }
    const address = addressOf(to);
    const keys = [this.keys.out(home)];
    return log === 'in'
      ? { op: 'out', keys, args: [address, message] }
      : { op: 'out-to-log', keys, args: [address, log, message] };
  }
}

/** The field of an entry: its log and its id, since one group reads several logs of a partition. */
export function entryField(entry: EntryRef): string {
  return `${entry.source.log}/${entry.id}`;
}
