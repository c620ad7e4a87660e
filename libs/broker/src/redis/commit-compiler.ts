import type { Commit, Write } from '../core/commit.js';
import { ConfigurationError } from '../core/errors.js';
import { inGuardOrder } from '../core/guard-order.js';
import type { KeyBuilder } from '../core/keys.js';
import { addressOf } from '../core/partition.js';
import { APPEND, STREAM_APPEND, streamAppend } from './bulk-appends.js';
import type { Part } from './commit-op.js';
import { CommitParts } from './commit-parts.js';
import type { TakenInput } from './commit-parts.js';
import { youngBlanks } from '../core/young-list.js';
import { CompiledCommit } from './compiled-commit.js';
import { scriptFor } from './commit-script.js';
import { indexing, isIndexed } from './indexing.js';
import type { Delivery } from './redis-store-options.js';
import type { Script } from './script.js';
import { Shape } from './shape.js';

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
  private readonly of: CommitParts;

  constructor(
    private readonly keys: KeyBuilder,
    private readonly delivery: Delivery,
  ) {
    this.of = new CommitParts(keys, delivery);
  }

  /** @throws ConfigurationError for a bad name, or for keys of two slots under `outbox` delivery */
  compile(commit: Commit, how: Compiling = {}): CompiledCommit {
    const compiled = (how.look || how.taken ? undefined : this.usual(commit)) ?? this.parts(commit, how);
    if (this.delivery !== 'outbox') return compiled;
    const { shape, keys, args } = compiled;
    return new CompiledCommit(shape, keys, args, slotOf(commit, keys));
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
    return new CompiledCommit('publish', keys, [write.events.length, ...write.events]);
  }

  private parts(commit: Commit, { look = false, taken }: Compiling): CompiledCommit {
    const { partition, writes } = commit;
    const guards = inGuardOrder(commit.guards);
    const reads: Part[] = [];
    const acknowledging: Part[] = [];
    for (const guard of guards) (guard.kind === 'input' ? acknowledging : reads).push(this.of.guard(partition, guard));
    const inputs = distinct(acknowledging);
    const appends = writes.filter(isAppend);
    // Redis refuses an append to a feed that holds a foreign id: appends come first, while nothing has been written. XACK
    // guards by writing, so whenever it is not the first write, the inputs are looked at before.
    if (look || inputs.length > 1 || appends.length > 0) {
      for (const part of inputs) reads.push(as('pending', part));
    }
    if (look) return join(reads);
    const { fences, marks } = this.takings(partition, taken);
    const parts = [...fences, ...reads];
    for (const part of marks) parts.push(as('untaken', part));
    for (const write of appends) parts.push(this.of.write(partition, write));
    if (appends.some(isIndexed)) {
      parts.push(
        ...indexing(
          this.keys,
          partition,
          appends.filter((write) => write.kind === 'append'),
        ),
      );
    }
    parts.push(...inputs);
    for (const part of fences) parts.push(as('raise', part));
    for (const part of marks) parts.push(as('take', part));
    for (const guard of guards) if (guard.kind === 'command') parts.push(this.of.remember(partition, guard));
    for (const write of writes) {
      if (!isAppend(write)) parts.push(this.of.putAs(commit, write) ?? this.of.write(partition, write));
      if (write.kind === 'dead-letter' && write.park) parts.push(this.of.park(partition, write));
    }
    return join(parts);
  }

  private takings(
    partition: Commit['partition'],
    taken: readonly TakenInput[] = [],
  ): Record<'fences' | 'marks', Part[]> {
    return {
      fences: taken.flatMap((input) => this.of.fence(partition, input)),
      marks: taken.flatMap((input) => this.of.mark(partition, input)),
    };
  }

  /** The script for a shape. But for bulk forms, calls are `[keys of each commit], [number of keys, number of args, args of each commit]`. */
  script(shape: string): Script {
    let script = this.scripts.get(shape);
    if (!script) this.scripts.set(shape, (script = shape === STREAM_APPEND ? APPEND : scriptFor(shape)));
    return script;
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
  // They are kept until the commit is answered, so they are no longer than they have to be.
  const [keys, args] = [youngBlanks<string>(count(parts, 'keys')), youngBlanks<string | number>(countArgs(parts))];
  let shape = Shape.NONE;
  let [key, arg] = [0, 0];
  for (let i = 0; i < parts.length;) {
    const { op } = parts[i]!;
    let end = i + 1;
    while (end < parts.length && parts[end]!.op === op) end++;
    if (end - i > 1) args[arg++] = end - i;
    shape = shape.with(op, end - i > 1);
    for (; i < end; i++) {
      for (const each of parts[i]!.keys) keys[key++] = each;
      for (const each of parts[i]!.args) args[arg++] = each;
    }
  }
  return new CompiledCommit(shape.name, keys, args);
}

function count(parts: readonly Part[], of: 'keys' | 'args'): number {
  let sum = 0;
  for (const part of parts) sum += part[of].length;
  return sum;
}

/** With the counts of runs. */
function countArgs(parts: readonly Part[]): number {
  let sum = count(parts, 'args');
  for (let i = 1; i < parts.length; i++) {
    const { op } = parts[i]!;
    if (parts[i - 1]!.op === op && parts[i - 2]?.op !== op) sum++;
  }
  return sum;
}

function as(op: string, { keys, args }: Part): Part {
  return { op, keys, args };
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
