import type { Commit, TimerWrite, Write } from '../core/commit.js';
import { checkName } from '../core/keys.js';
import type { KeyBuilder } from '../core/keys.js';
import { ORIGIN_FIELDS } from '../core/origin.js';
import { addressOf, ownLog, replyAddressOf } from '../core/partition.js';
import type { Partition } from '../core/partition.js';
import { memberOf } from '../core/row-index.js';
import type { CallBuilder } from './call-builder.js';
import { checkpointKeys } from './checkpoint-keys.js';
import { deadLetterFields } from './dead-letter-fields.js';
import { entryField } from './entry-field.js';
import { isIndexed } from './indexing.js';
import type { Delivery } from './redis-store-options.js';
import { timerDetails } from './timer-fields.js';

/** Each write of a commit as an op of a script, with its keys and values. */
export class WriteParts {
  constructor(
    private readonly keys: KeyBuilder,
    private readonly delivery: Delivery,
  ) {}

  /** Whether a commit on a partition may write to another one itself. */
  private isNear(partition: Partition, to: Partition): boolean {
    return this.delivery === 'direct' || (partition.index === to.index && partition.context === to.context);
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
        return void checkpointKeys(call.op('advance'), keys, partition, write.state).arg(write.last ?? '');
      case 'row':
        return this.row(call, partition, write);
      case 'list': {
        const { view, id, remove, add } = write;
        call
          .op('list')
          .sharedKey(keys.viewIndex(partition, view)[0])
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
          ? void call.op('cancel-timer').allSharedKeys(keys.timers(at)).arg(id)
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
          .sharedKey(keys.retries(write.entry.source.partition, write.group))
          .arg(entryField(write.entry))
          .arg(JSON.stringify(write.record));
      case 'clear-retry':
        return void call
          .op('clear-retry')
          .sharedKey(keys.retries(write.entry.source.partition, write.group))
          .arg(entryField(write.entry));
    }
  }

  private append(call: CallBuilder, partition: Partition, write: Extract<Write, { kind: 'append' }>): void {
    const indexed = isIndexed(write) ? '-indexed' : '';
    const feed = this.keys.log({ partition, log: 'feed' });
    if (write.stream === undefined) call.op(`publish${indexed}`).sharedKey(feed);
    else {
      call
        .op(`append${indexed}`)
        .sharedKey(feed)
        .key(this.keys.stream(partition, write.stream))
        .sharedKey(this.keys.retention(partition)[0]);
    }
    call.arg(write.events.length).allArgs(write.events);
  }

  private put(call: CallBuilder, commit: Commit, write: Extract<Write, { kind: 'put' }>): void {
    const { state, value, ttlMs } = write;
    if (ttlMs === undefined && isNext(commit, write)) return void call.op('put-next').arg(value);
    const key = this.keys.state(commit.partition, state);
    if (ttlMs === undefined) call.op('put').key(key).arg(value);
    else call.op('put-for').key(key).arg(value).arg(ttlMs);
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
        .allSharedKeys(keys)
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

/** A state's next revision is known where the last one is the only one that is guarded, and nothing else of the commit changes it. */
function isNext({ guards, writes }: Commit, write: Extract<Write, { kind: 'put' }>): boolean {
  for (const other of writes) if (other !== write && 'state' in other && other.state === write.state) return false;
  let isGuarded = false;
  for (const guard of guards) {
    if (guard.kind !== 'revision') continue;
    if (isGuarded || guard.state !== write.state) return false;
    isGuarded = true;
  }
  return isGuarded;
}
