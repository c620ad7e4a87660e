import type { Guard } from '../core/commit.js';
import { checkName } from '../core/keys.js';
import type { KeyBuilder } from '../core/keys.js';
import type { EntryRef, Partition } from '../core/partition.js';
import { keyedQuery } from '../core/tag-query.js';
import type { CallBuilder } from './call-builder.js';
import { checkpointKeys } from './checkpoint-keys.js';
import { entryField } from './entry-field.js';

/** What a commit takes from a partition in another slot: the entry, and under which epoch of which group. */
export interface TakenInput {
  readonly from: Partition;
  readonly group: string;
  /** Absent: no lease is held. */
  readonly epoch?: number;
  /** Absent: only the lease is there. */
  readonly entry?: EntryRef;
}

/** Each guard of a commit as an op of a script, with its keys and values. */
export class GuardParts {
  constructor(private readonly keys: KeyBuilder) {}

  guard(call: CallBuilder, partition: Partition, guard: Guard): void {
    const { keys } = this;
    switch (guard.kind) {
      case 'lease':
        return void call.op('lease').sharedKey(keys.lease(guard.partition, guard.group)).sharedArg(guard.epoch);
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
        return void checkpointKeys(call.op('reached'), keys, partition, guard.state);
      case 'timer': {
        const [timers] = keys.timers(guard.partition ?? partition);
        return void call
          .op('due')
          .sharedKey(timers)
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
    call.op(op).sharedKey(this.keys.log(entry.source)).sharedArg(this.keys.group(group)).arg(entry.id);
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
}
