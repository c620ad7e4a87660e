import type { Commit, Guard, TimerWrite, Write } from '../core/commit.js';
import { ConfigurationError } from '../core/errors.js';
import { inGuardOrder } from '../core/guard-order.js';
import { checkName } from '../core/keys.js';
import type { KeyBuilder } from '../core/keys.js';
import { ORIGIN_FIELDS } from '../core/origin.js';
import { addressOf, ownLog, replyAddressOf } from '../core/partition.js';
import type { EntryRef, Partition } from '../core/partition.js';
import { memberOf } from '../core/row-index.js';
import { APPEND, STREAM_APPEND, streamAppend } from './bulk-appends.js';
import type { Part } from './commit-op.js';
import type { CompiledCommit } from './compiled-commit.js';
import { scriptFor } from './commit-script.js';
import { deadLetterFields } from './dead-letter-fields.js';
import type { Delivery } from './redis-store-options.js';
import { indexing, isIndexed } from './indexing.js';
import type { Script } from './script.js';
import { keyedQuery } from '../core/tag-query.js';
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

export interface Compiling {
  /** Guards only, and inputs are looked at instead of acknowledged. */
  readonly look?: boolean;
  readonly taken?: readonly TakenInput[];
}

/**
 * Turns commits into calls of a script made for their shape: which guards, which writes, in which order. Values never
 * enter a script's text. Shapes are few, so scripts are made once and cached, here and in Redis.
 *
 * A script runs any number of commits of its shape; each is committed or refused alone. All guards come before the first
 * write. Without appends, XACK is the last guard and the first write: it answers 0 when the entry was committed before.
 */
export class CommitCompiler {
  private readonly scripts = new Map<string, Script>();

  constructor(
    private readonly keys: KeyBuilder,
    private readonly delivery: Delivery,
  ) {}

  /** @throws ConfigurationError for a bad name, or for keys of two slots under `outbox` delivery */
  compile(commit: Commit, how: Compiling = {}): CompiledCommit {
    const compiled = (how.look || how.taken ? undefined : this.usual(commit)) ?? this.parts(commit, how);
    return this.delivery === 'outbox' ? { ...compiled, slot: slotOf(commit, compiled.keys) } : compiled;
  }

  /** What is written outside of handlers takes a short way to the same result. */
  private usual(commit: Commit): CompiledCommit | undefined {
    return this.publication(commit) ?? streamAppend(this.keys, commit);
  }

  /** Published events have nothing to guard. */
  private publication({ partition, guards, writes }: Commit): CompiledCommit | undefined {
    const [write] = writes;
    if (guards.length > 0 || writes.length !== 1 || write?.kind !== 'append') return undefined;
    if (write.stream !== undefined || write.tags) return undefined;
    const keys = [this.keys.log({ partition, log: 'feed' })];
    return { shape: 'publish', slot: '', keys, args: [write.events.length, ...write.events] };
  }

  private parts(commit: Commit, { look = false, taken = [] }: Compiling): CompiledCommit {
    const guards = inGuardOrder(commit.guards);
    const inputs = distinct(
      guards.filter((guard) => guard.kind === 'input').map((guard) => this.guard(commit.partition, guard)),
    );
    const reads = guards.filter((guard) => guard.kind !== 'input').map((guard) => this.guard(commit.partition, guard));
    const appends = commit.writes.filter(isAppend);
    // Redis refuses an append to a feed that holds a foreign id: appends come first, while nothing has been written. XACK
    // guards by writing, so whenever it is not the first write, the inputs are looked at before.
    if (look || inputs.length > 1 || appends.length > 0) {
      reads.push(...inputs.map((part) => ({ ...part, op: 'pending' })));
    }
    if (look) return join(reads);
    const fences = taken.flatMap((input) => this.fence(commit.partition, input));
    const marks = taken.flatMap((input) => this.mark(commit.partition, input));
    reads.unshift(...fences);
    reads.push(...marks.map((part) => ({ ...part, op: 'untaken' })));
    const parts = [...reads, ...appends.map((write) => this.write(commit.partition, write))];
    if (appends.some(isIndexed)) {
      const own = appends.filter((write) => write.kind === 'append');
      parts.push(...indexing(this.keys, commit.partition, own));
    }
    parts.push(...inputs);
    for (const part of fences) parts.push({ ...part, op: 'raise' });
    for (const part of marks) parts.push({ ...part, op: 'take' });
    for (const guard of guards) if (guard.kind === 'command') parts.push(this.remember(commit.partition, guard));
    for (const write of commit.writes) {
      if (!isAppend(write)) parts.push(this.putAs(commit, write) ?? this.write(commit.partition, write));
      if (write.kind === 'dead-letter' && write.park) parts.push(this.park(commit.partition, write));
    }
    return join(parts);
  }

  /** A state's next revision is known where the last one is guarded, and nothing else of the commit changes it. */
  private putAs({ partition, guards, writes }: Commit, write: Write): Part | undefined {
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

  /** The script for a shape. But for bulk forms, calls are `[keys of each commit], [number of keys, number of args, args of each commit]`. */
  script(shape: string): Script {
    let script = this.scripts.get(shape);
    if (!script) this.scripts.set(shape, (script = shape === STREAM_APPEND ? APPEND : scriptFor(shape)));
    return script;
  }

  private guard(partition: Partition, guard: Guard): Part {
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

  private fence(partition: Partition, { from, group, epoch }: TakenInput): Part[] {
    return epoch === undefined ? [] : [{ op: 'fence', keys: [this.keys.taken(partition, group, from)], args: [epoch] }];
  }

  private mark(partition: Partition, { from, group, entry }: TakenInput): Part[] {
    return entry ? [{ op: 'take', keys: [this.keys.taken(partition, group, from)], args: [entryField(entry)] }] : [];
  }

  private remember(partition: Partition, guard: Extract<Guard, { kind: 'command' }>): Part {
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
  private park(partition: Partition, { letter, park }: Extract<Write, { kind: 'dead-letter' }>): Part {
    const { group, key = '' } = letter;
    return park === 'head'
      ? { op: 'park', keys: [this.keys.parked(partition, group)], args: [key] }
      : { op: 'wait-behind', keys: [this.keys.behind(partition, group, key)], args: [] };
  }

  private parkedKeys(partition: Partition, group: string): string[] {
    const own = this.keys.log({ partition, log: ownLog(group) });
    return [this.keys.dead(partition), own, this.keys.parked(partition, group)];
  }

  private write(partition: Partition, write: Write): Part {
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
        const gone = write.remove.map((entry) => memberOf(entry, write.id));
        const scored = write.add.flatMap((entry) => [0, memberOf(entry, write.id)]);
        const [members] = this.keys.viewIndex(partition, write.view);
        return { op: 'list', keys: [members], args: [gone.length, scored.length, ...gone, ...scored] };
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
    const address = addressOf(to);
    if (this.isNear(home, to)) {
      return { op: log === 'feed' ? 'emit-event' : 'emit', keys: [key], args: [message] };
    }
    const keys = [this.keys.out(home)];
    return log === 'in'
      ? { op: 'out', keys, args: [address, message] }
      : { op: 'out-to-log', keys, args: [address, log, message] };
  }
}

/** The same input twice is one input: its second XACK would find it acknowledged when the first has been written. */
function distinct(inputs: readonly Part[]): readonly Part[] {
  if (inputs.length < 2) return inputs;
  return [...new Map(inputs.map((part) => [[...part.keys, ...part.args].join(' '), part])).values()];
}

/** A write to a feed, the one that Redis may refuse. */
function isAppend(write: Write): boolean {
  return write.kind === 'append' || (write.kind === 'emit' && write.log === 'feed');
}

/** Parts in order; a run of the same op becomes one loop with a count, so that shapes stay few. */
function join(parts: readonly Part[]): CompiledCommit {
  const shape: string[] = [];
  const keys: string[] = [];
  const args: (string | number)[] = [];
  for (let i = 0; i < parts.length;) {
    const { op } = parts[i]!;
    let end = i + 1;
    while (end < parts.length && parts[end]!.op === op) end++;
    if (end - i > 1) args.push(end - i);
    shape.push(end - i > 1 ? `${op}*` : op);
    for (; i < end; i++) {
      for (const key of parts[i]!.keys) keys.push(key);
      for (const arg of parts[i]!.args) args.push(arg);
    }
  }
  const name = shape.join();
  return { shape: name, slot: '', keys, args };
}

/** The field of an entry: its log and its id, since one group reads several logs of a partition. */
export function entryField(entry: EntryRef): string {
  return `${entry.source.log}/${entry.id}`;
}

/** The hash tag that all keys of a commit share. */
function slotOf(commit: Commit, keys: readonly string[]): string {
  const tag = (key: string): string => key.slice(0, key.indexOf('}') + 1);
  const slot = tag(keys[0] ?? '');
  const foreign = keys.find((key) => tag(key) !== slot);
  if (foreign !== undefined) {
    throw new ConfigurationError(
      `a commit on ${addressOf(commit.partition)} also needs ${foreign}, which is in another Cluster slot`,
    );
  }
  return slot;
}
