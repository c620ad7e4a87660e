import type { Commit, CommitResult, Guard, Write } from '../core/commit.js';
import { inGuardOrder } from '../core/guard-order.js';
import type { KeyBuilder } from '../core/keys.js';
import { addressOf } from '../core/partition.js';
import type { Partition } from '../core/partition.js';
import type { CommitBatcher } from './commit-batcher.js';
import type { CommitCompiler } from './commit-compiler.js';
import { TAKEN } from './commit-script.js';
import { entryField } from './entry-field.js';
import type { TakenInput } from './guard-parts.js';
import type { RedisConnection } from './redis-connection.js';

/** Those guards and writes of a commit that are in one slot. */
interface Part {
  readonly partition: Partition;
  readonly guards: Guard[];
  readonly writes: Write[];
}

/**
 * Commits whose input lies in another slot than what they write, as those of a handler that reads another context's feed.
 *
 * What is decided is one atomic commit all the same, which also marks the entry as taken and raises a fence to the epoch
 * of its lease; then the entry is acknowledged where it is, and the mark goes. Whoever comes after a crash in between finds
 * the mark, and whoever was replaced meanwhile finds the fence.
 */
export class CrossSlotCommits {
  private forgotten = new Map<string, string[]>();

  constructor(
    private readonly connection: RedisConnection,
    private readonly keys: KeyBuilder,
    private readonly compiler: CommitCompiler,
    private readonly batcher: CommitBatcher,
  ) {}

  async commit(commit: Commit): Promise<CommitResult> {
    const { home, away } = split(commit);
    if (away.length === 0) return this.batcher.commit(commit);
    if (home.guards.length + home.writes.length === 0) return this.inTurn(away);
    for (const part of away) this.compiler.compile(part);
    const refused = await this.look(commit, home, away);
    if (refused) return refused;
    const taken = away.flatMap(takenFrom);
    const result = await this.batcher.commit(home, { taken });
    const before = result.status === 'refused' && result.found === TAKEN;
    if (result.status === 'refused' && !before) return result;
    for (const { partition, guards, writes } of away) {
      // Between the look and this another commit may have remembered the same id: then both are done.
      const commands = guards.filter(({ kind }) => kind === 'command');
      if (commands.length > 0) await this.batcher.commit({ partition, guards: commands, writes: [] });
      // The lease does not matter any more: what the entry was to do is done.
      const inputs = guards.filter(({ kind }) => kind === 'input');
      if (inputs.length + writes.length > 0) await this.batcher.commit({ partition, guards: inputs, writes });
    }
    this.forget(home.partition, taken);
    return before ? { ...result, found: 'acknowledged' } : result;
  }

  /** Whether a guard in another slot fails already; else what is to be written is refused in time by its own. */
  private async look(commit: Commit, home: Part, away: readonly Part[]): Promise<CommitResult | undefined> {
    const at = (part: Part): Promise<CommitResult> => this.batcher.commit({ ...part, writes: [] }, { look: true });
    const refusedAway = (await Promise.all(away.map(at))).filter(isRefused);
    if (refusedAway.length === 0) return undefined;
    const refused = [...refusedAway, ...[await at(home)].filter(isRefused)];
    const kind = inGuardOrder(commit.guards).find((guard) =>
      refused.some((result) => result.guard === guard.kind),
    )?.kind;
    const [first, ...others] = refused.filter((result) => result.guard === kind);
    if (others.length === 0) return first;
    // Of several slots, each with a guard of this kind that fails, none says which one it was.
    for (const guard of commit.guards.filter((each) => each.kind === kind)) {
      const result = await at({ partition: placeOf(guard) ?? commit.partition, guards: [guard], writes: [] });
      if (isRefused(result)) return result;
    }
    return first;
  }

  /** Nothing but acknowledgements of several partitions: they depend on each other in nothing. */
  private async inTurn(parts: readonly Part[]): Promise<CommitResult> {
    let answer: CommitResult = { status: 'committed', appended: [] };
    for (const part of parts) {
      const result = await this.batcher.commit(part);
      if (result.status === 'refused') answer = result;
    }
    return answer;
  }

  /** A mark that stays because this is lost costs its few bytes and nothing else. */
  private forget(partition: Partition, taken: readonly TakenInput[]): void {
    if (this.forgotten.size === 0) setImmediate(() => this.sendForgotten());
    for (const { group, from, entry } of taken) {
      if (!entry) continue;
      const key = this.keys.taken(partition, group, from);
      const fields = this.forgotten.get(key);
      if (fields) fields.push(entryField(entry));
      else this.forgotten.set(key, [entryField(entry)]);
    }
  }

  private sendForgotten(): void {
    const { forgotten } = this;
    this.forgotten = new Map();
    for (const [key, fields] of forgotten) this.connection.send('HDEL', [key, ...fields]).catch(() => undefined);
  }
}

function split(commit: Commit): { home: Part; away: Part[] } {
  const home: Part = { partition: commit.partition, guards: [], writes: [] };
  const parts = new Map([[addressOf(commit.partition), home]]);
  const at = (partition: Partition): Part => {
    const address = addressOf(partition);
    let part = parts.get(address);
    if (!part) parts.set(address, (part = { partition, guards: [], writes: [] }));
    return part;
  };
  for (const guard of commit.guards) at(placeOf(guard) ?? commit.partition).guards.push(guard);
  for (const write of commit.writes) {
    at(homeOf(write) ?? commit.partition).writes.push(write);
  }
  return { home, away: [...parts.values()].filter((part) => part !== home) };
}

function isRefused(result: CommitResult): result is Extract<CommitResult, { status: 'refused' }> {
  return result.status === 'refused';
}

function placeOf(guard: Guard): Partition | undefined {
  switch (guard.kind) {
    case 'lease':
    case 'timer':
    case 'command':
    case 'tombstone':
      return guard.partition;
    case 'input':
      return guard.entry.source.partition;
    default:
      return undefined;
  }
}

/** Where a write goes that is not delivered, but done when the rest has been. */
function homeOf(write: Write): Partition | undefined {
  if (write.kind === 'tombstone') return write.partition;
  return write.kind === 'retry' || write.kind === 'clear-retry' ? write.entry.source.partition : undefined;
}

function takenFrom({ partition: from, guards }: Part): TakenInput[] {
  const leases = guards.filter((guard) => guard.kind === 'lease');
  const inputs = guards.filter((guard) => guard.kind === 'input');
  return [
    ...leases.map(({ group, epoch }) => ({ from, group, epoch })),
    ...inputs.map(({ group, entry }) => ({ from, group, entry })),
  ];
}
