import type { Commit, Guard, TimerWrite, Write } from '../core/commit.js';
import { checkName } from '../core/keys.js';
import type { KeyBuilder } from '../core/keys.js';
import { ORIGIN_FIELDS } from '../core/origin.js';
import { addressOf, ownLog, replyAddressOf } from '../core/partition.js';
import type { EntryRef, Partition } from '../core/partition.js';
import { memberOf } from '../core/row-index.js';
import { keyedQuery } from '../core/tag-query.js';
import type { CallBuilder } from './call-builder.js';
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

  /** Whether a commit on a partition may write to another one itself. */
  private isNear(partition: Partition, to: Partition): boolean {
    return this.delivery === 'direct' || (partition.index === to.index && partition.context === to.context);
  }

  guard(call: CallBuilder, partition: Partition, guard: Guard): void {
    const { keys } = this;
    switch (guard.kind) {
      case 'lease':
        return void call.op('lease').key(keys.lease(guard.partition, guard.group)).arg(guard.epoch);
      case 'command':
        return void call.op('command').key(keys.command(guard.partition ?? partition, guard.id));
      case 'tombstone':
        return void call.op('standing').key(keys.tombstone(guard.partition ?? partition, guard.effect));
      case 'version':
        return this.versionGuard(call, partition, guard);
      case 'tags':
        return this.tagsGuard(call, partition, guard);
      case 'revision':
        return void call.op('revision').key(keys.state(partition, guard.state)).arg(guard.expected);
      case 'row': {
        const view = keys.view(partition, guard.view);
        return guard.expected === null
          ? void call.op('no-row').key(view).arg(guard.id)
          : void call.op('row-is').key(view).arg(guard.id).arg(guard.expected);
      }
      case 'reached':
        return void this.checkpoint(call.op('reached'), partition, guard.state);
      case 'timer': {
        const [timers] = keys.timers(guard.partition ?? partition);
        return void call
          .op('due')
          .key(timers)
          .arg(checkName(guard.id, 'timer'))
          .arg(guard.due ?? -1);
      }
      case 'dead-letter':
        return void call.op('dead-letter-there').key(keys.dead(partition)).arg(guard.id);
      case 'parked': {
        const parked = keys.parked(partition, guard.group);
        return guard.behind === undefined
          ? void call.op('parked').key(parked).arg(guard.key)
          : void call.op('parked-behind').key(parked).arg(guard.key).arg(guard.behind);
      }
      case 'input':
        return this.input(call, guard, 'input');
    }
  }

  /** @param op `input` acknowledges it, `pending` only looks whether that can be done */
  input(call: CallBuilder, { entry, group }: Extract<Guard, { kind: 'input' }>, op: 'input' | 'pending'): void {
    call.op(op).key(this.keys.log(entry.source)).arg(this.keys.group(group)).arg(entry.id);
  }

  private versionGuard(
    call: CallBuilder,
    partition: Partition,
    { stream, expected }: Extract<Guard, { kind: 'version' }>,
  ): void {
    const key = this.keys.stream(partition, stream);
    if (expected === 'exists') call.op('exists').key(key);
    else
      call
        .op('version')
        .key(key)
        .arg(expected === 'none' ? 0 : expected);
  }

  private tagsGuard(call: CallBuilder, partition: Partition, { query, after }: Extract<Guard, { kind: 'tags' }>): void {
    const queries = query.map((each) => keyedQuery(this.keys, partition, each));
    call
      .op('tags')
      .key(this.keys.log({ partition, log: 'feed' }))
      .arg(after)
      .arg(queries.length);
    for (const { keys, types } of queries) call.allKeys(keys).arg(keys.length).arg(types.length).allArgs(types);
  }

  /** @param op `fence` looks whether it is the newest epoch, `raise` makes it that */
  fence(call: CallBuilder, partition: Partition, { from, group, epoch }: TakenInput, op: 'fence' | 'raise'): void {
    if (epoch !== undefined)
      call
        .op(op)
        .key(this.keys.taken(partition, group, from))
        .arg(epoch);
  }

  /** @param op `untaken` looks whether it has been taken, `take` takes it */
  mark(call: CallBuilder, partition: Partition, { from, group, entry }: TakenInput, op: 'untaken' | 'take'): void {
    if (entry)
      call
        .op(op)
        .key(this.keys.taken(partition, group, from))
        .arg(entryField(entry));
  }

  remember(call: CallBuilder, partition: Partition, guard: Extract<Guard, { kind: 'command' }>): void {
    call
      .op(guard.withAppended ? 'remember-appended' : 'remember')
      .key(this.keys.command(guard.partition ?? partition, guard.id))
      .arg(guard.result)
      .arg(guard.ttlMs);
  }

  /** @param commit that it is part of */
  write(call: CallBuilder, commit: Commit, write: Write): void {
    const { partition } = commit;
    const { keys } = this;
    switch (write.kind) {
      case 'append':
        return this.append(call, partition, write);
      case 'put':
        return this.put(call, commit, write);
      case 'delete':
        return void call.op('delete').key(keys.state(partition, write.state));
      case 'advance':
        return void this.checkpoint(call.op('advance'), partition, write.state).arg(write.last ?? '');
      case 'row':
        return this.row(call, partition, write);
      case 'list': {
        const { view, id, remove, add } = write;
        call
          .op('list')
          .key(keys.viewIndex(partition, view)[0])
          .arg(remove.length)
          .arg(2 * add.length);
        for (const entry of remove) call.arg(memberOf(entry, id));
        for (const entry of add) call.arg(0).arg(memberOf(entry, id));
        return;
      }
      case 'tombstone':
        return void call
          .op('tombstone')
          .key(keys.tombstone(write.partition ?? partition, write.effect))
          .arg(write.by)
          .arg(write.ttlMs);
      case 'drop-view':
        return this.viewKeys(call.op('drop-view'), partition, write.view);
      case 'emit':
        return this.emit(call, partition, write);
      case 'reply': {
        // Makes the key in any case: that checks the address.
        const key = keys.replies(write.to);
        return this.isNear(partition, write.to.partition)
          ? void call.op('reply').key(key).arg(write.message)
          : void call.op('out').key(keys.out(partition)).arg(replyAddressOf(write.to)).arg(write.message);
      }
      case 'timer':
        return this.timer(call, partition, write);
      case 'cancel-timer': {
        const at = write.partition ?? partition;
        const id = checkName(write.id, 'timer');
        return this.isNear(partition, at)
          ? void call.op('cancel-timer').allKeys(keys.timers(at)).arg(id)
          : void call.op('out-cancel').key(keys.out(partition)).arg(addressOf(at)).arg(id);
      }
      case 'dead-letter':
        return this.deadLetter(call, partition, write);
      case 'redrive':
        this.parkedKeys(call.op('redrive'), partition, write.group);
        return void call
          .arg(write.fields?.length ?? 0)
          .arg(write.id)
          .arg(write.parked ?? '')
          .allArgs(write.fields ?? []);
      case 'discard':
        return void call.op('discard').key(keys.dead(partition)).arg(write.id);
      case 'unpark':
        this.parkedKeys(call.op('unpark'), partition, write.group);
        return void call.key(keys.behind(partition, write.group, write.key)).arg(write.key);
      case 'retry':
        return void call
          .op('retry')
          .key(keys.retries(write.entry.source.partition, write.group))
          .arg(entryField(write.entry))
          .arg(JSON.stringify(write.record));
      case 'clear-retry':
        return void call
          .op('clear-retry')
          .key(keys.retries(write.entry.source.partition, write.group))
          .arg(entryField(write.entry));
    }
  }

  private append(call: CallBuilder, partition: Partition, write: Extract<Write, { kind: 'append' }>): void {
    const indexed = isIndexed(write) ? '-indexed' : '';
    const feed = this.keys.log({ partition, log: 'feed' });
    if (write.stream === undefined) call.op(`publish${indexed}`).key(feed);
    else {
      call
        .op(`append${indexed}`)
        .key(feed)
        .key(this.keys.stream(partition, write.stream))
        .key(this.keys.retention(partition)[0]);
    }
    call.arg(write.events.length).allArgs(write.events);
  }

  private put(call: CallBuilder, commit: Commit, write: Extract<Write, { kind: 'put' }>): void {
    const { state, value, ttlMs } = write;
    const key = this.keys.state(commit.partition, state);
    if (ttlMs !== undefined) return void call.op('put-for').key(key).arg(value).arg(ttlMs);
    const last = guardedRevision(commit, write);
    if (last === undefined) call.op('put').key(key).arg(value);
    else
      call
        .op('put-as')
        .key(key)
        .arg(last + 1)
        .arg(value);
  }

  private deadLetter(
    call: CallBuilder,
    partition: Partition,
    { letter, copy, park }: Extract<Write, { kind: 'dead-letter' }>,
  ): void {
    const dead = this.keys.dead(partition);
    const group = this.keys.group(letter.group);
    if (copy) {
      // What stands before the message itself in an own log is no part of it.
      const itself = copy.id === letter.entry.id && copy.source.log === letter.entry.source.log;
      call.op('dead-letter-copy').key(dead).key(this.keys.log(copy.source)).allArgs(deadLetterFields(letter));
      call.arg(copy.id).arg(itself ? 0 : ORIGIN_FIELDS);
    } else call.op('dead-letter').key(dead).allArgs(deadLetterFields(letter));
    if (!park) return;
    const { key = '' } = letter;
    if (park === 'head') call.op('park').key(this.keys.parked(partition, group)).arg(key);
    else call.op('wait-behind').key(this.keys.behind(partition, group, key));
  }

  private parkedKeys(call: CallBuilder, partition: Partition, group: string): void {
    call
      .key(this.keys.dead(partition))
      .key(this.keys.log({ partition, log: ownLog(group) }))
      .key(this.keys.parked(partition, group));
  }

  private row(
    call: CallBuilder,
    partition: Partition,
    { view, id, value, entries }: Extract<Write, { kind: 'row' }>,
  ): void {
    if (!entries) {
      const key = this.keys.view(partition, view);
      if (value === null) call.op('delete-row').key(key).arg(id);
      else call.op('row').key(key).arg(id).arg(value);
      return;
    }
    this.viewKeys(call.op(value === null ? 'unlist-row' : 'list-row'), partition, view);
    if (value === null) return void call.arg(id);
    const members = new Set(entries.map((entry) => memberOf(entry, id)));
    call
      .arg(members.size)
      .arg(id)
      .arg(value)
      .allArgs([...members]);
  }

  private checkpoint(call: CallBuilder, partition: Partition, state: string): CallBuilder {
    return call.key(this.keys.state(partition, state)).key(this.keys.log({ partition, log: 'feed' }));
  }

  private viewKeys(call: CallBuilder, partition: Partition, view: string): void {
    call.key(this.keys.view(partition, view)).allKeys(this.keys.viewIndex(partition, view));
  }

  private timer(call: CallBuilder, home: Partition, write: TimerWrite): void {
    const at = write.partition ?? home;
    const keys = this.keys.timers(at);
    const id = checkName(write.id, 'timer');
    const details = timerDetails(write);
    if (write.to) this.keys.log(write.to);
    if (this.isNear(home, at)) {
      call
        .op(details === undefined ? 'timer' : 'detailed-timer')
        .allKeys(keys)
        .arg(id)
        .arg(write.due)
        .arg(write.message);
      if (details !== undefined) call.arg(details);
    } else {
      call.op('out-timer').key(this.keys.out(home)).arg(addressOf(at)).arg(id).arg(write.due);
      call.arg(write.message).arg(details ?? '');
    }
  }

  private emit(
    call: CallBuilder,
    home: Partition,
    { to, log = 'in', message }: Extract<Write, { kind: 'emit' }>,
  ): void {
    const key = this.keys.log({ partition: to, log });
    if (this.isNear(home, to)) {
      call
        .op(log === 'feed' ? 'emit-event' : 'emit')
        .key(key)
        .arg(message);
    } else if (log === 'in') call.op('out').key(this.keys.out(home)).arg(addressOf(to)).arg(message);
    else call.op('out-to-log').key(this.keys.out(home)).arg(addressOf(to)).arg(log).arg(message);
  }
}

/** A state's next revision is known where the last one is guarded, and nothing else of the commit changes it. */
function guardedRevision({ guards, writes }: Commit, write: Extract<Write, { kind: 'put' }>): number | undefined {
  for (const other of writes) if (other !== write && 'state' in other && other.state === write.state) return undefined;
  for (const guard of guards) if (guard.kind === 'revision' && guard.state === write.state) return guard.expected;
  return undefined;
}

/** The field of an entry: its log and its id, since one group reads several logs of a partition. */
export function entryField(entry: EntryRef): string {
  return `${entry.source.log}/${entry.id}`;
}
