import type { Commit, Guard, Write } from '../core/commit.js';
import { ConfigurationError } from '../core/errors.js';
import { inGuardOrder } from '../core/guard-order.js';
import type { KeyBuilder } from '../core/keys.js';
import { addressOf } from '../core/partition.js';
import { APPEND, STREAM_APPEND, streamAppend } from './bulk-appends.js';
import { PUBLICATION, PUBLISH } from './bulk-commits.js';
import { CallBuilder } from './call-builder.js';
import { CompiledCommit } from './compiled-commit.js';
import { scriptFor } from './commit-script.js';
import { GuardParts } from './guard-parts.js';
import type { TakenInput } from './guard-parts.js';
import { indexing, isIndexed } from './indexing.js';
import type { Delivery } from './redis-store-options.js';
import type { Script } from './script.js';
import { WriteParts } from './write-parts.js';

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
  private readonly guards: GuardParts;
  private readonly writes: WriteParts;

  constructor(
    private readonly keys: KeyBuilder,
    private readonly delivery: Delivery,
  ) {
    this.guards = new GuardParts(keys);
    this.writes = new WriteParts(keys, delivery);
  }

  /** @throws ConfigurationError for a bad name, or for keys of two slots under `outbox` delivery */
  compile(commit: Commit, how: Compiling = {}): CompiledCommit {
    const compiled = (how.look || how.taken ? undefined : this.usual(commit)) ?? this.parts(commit, how);
    if (this.delivery !== 'outbox') return compiled;
    const { shape, keys, args, shared, allKeys } = compiled;
    return new CompiledCommit(shape, keys, args, shared, slotOf(commit, allKeys));
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
    return new CompiledCommit(PUBLICATION, keys, [write.events.length, ...write.events]);
  }

  private parts(commit: Commit, { look = false, taken }: Compiling): CompiledCommit {
    const { partition, writes } = commit;
    const of = this.guards;
    const call = new CallBuilder();
    const guards = inGuardOrder(commit.guards);
    const inputs = inputsOf(guards);
    const appends = writes.some(isAppend);
    if (taken && !look) for (const input of taken) of.fence(call, partition, input, 'fence');
    for (const guard of guards) if (guard.kind !== 'input') of.guard(call, partition, guard);
    // Redis refuses an append to a feed that holds a foreign id: appends come first, while nothing has been written. XACK
    // guards by writing, so whenever it is not the first write, the inputs are looked at before.
    const looked = look || inputs.length > 1 || appends;
    if (looked) for (const input of inputs) of.input(call, input, 'pending');
    if (look) return call.done();
    if (taken) for (const input of taken) of.mark(call, partition, input, 'untaken');
    if (appends) this.appends(call, commit);
    if (looked && inputs.length === 1) call.op('acknowledge');
    else for (const input of inputs) of.input(call, input, 'input');
    if (taken) {
      for (const input of taken) of.fence(call, partition, input, 'raise');
      for (const input of taken) of.mark(call, partition, input, 'take');
    }
    for (const guard of guards) if (guard.kind === 'command') of.remember(call, partition, guard);
    for (const write of writes) if (!isAppend(write)) this.writes.write(call, commit, write);
    return call.done();
  }

  private appends(call: CallBuilder, commit: Commit): void {
    const { partition, writes } = commit;
    for (const write of writes) if (isAppend(write)) this.writes.write(call, commit, write);
    if (!writes.some(isIndexed)) return;
    indexing(
      call,
      this.keys,
      partition,
      writes.filter((write) => write.kind === 'append'),
    );
  }

  /** The script for a shape. But for bulk forms, its calls are those of {@link callOf}. */
  script(shape: string): Script {
    let script = this.scripts.get(shape);
    if (!script) this.scripts.set(shape, (script = BULK_SCRIPTS[shape] ?? scriptFor(shape)));
    return script;
  }
}

const BULK_SCRIPTS: Readonly<Record<string, Script>> = { [STREAM_APPEND]: APPEND, [PUBLICATION]: PUBLISH };

/** Each once: a second XACK of the same one would find it acknowledged when the first has been written. */
function inputsOf(guards: readonly Guard[]): readonly InputGuard[] {
  const inputs = guards.filter((guard) => guard.kind === 'input');
  if (inputs.length < 2) return inputs;
  const named = inputs.map((input): [string, InputGuard] => {
    const { source, id } = input.entry;
    return [`${addressOf(source.partition)}/${source.log} ${input.group} ${id}`, input];
  });
  return [...new Map(named).values()];
}

type InputGuard = Extract<Guard, { kind: 'input' }>;

/** A write to a feed, the one that Redis may refuse. */
function isAppend(write: Write): boolean {
  return write.kind === 'append' || (write.kind === 'emit' && write.log === 'feed');
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
