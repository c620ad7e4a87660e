import { setTimeout as wait } from 'node:timers/promises';
import type { Broker, Commit, CommitResult, Committing } from '@millrace/broker';
import { chainCommit } from './chained-commit.js';
import type { ChainedStream } from './chained-commit.js';
import { ChainRules } from './chain-rule.js';
import type { ChainMode } from './chain-rule.js';
import { notedHead, readHead } from './stream-head.js';
import type { StreamHead } from './stream-head.js';
import { Turns } from './turns.js';

type Modes = ReadonlyMap<string, ChainMode>;
type Heads = ReadonlyMap<string, StreamHead>;

const stages = new WeakMap<Broker, ChainStage>();

/**
 * Gives the events of every commit of a broker their chain values, where their stream is chained, whoever appends them. The
 * commit is guarded by the version of each stream; who was overtaken without having guarded that itself is chained anew.
 */
export class ChainStage {
  readonly rules = new ChainRules();
  private readonly turns = new Turns();

  private constructor(private readonly broker: Broker) {
    broker.finish((commit, next) => this.commit(commit, next));
  }

  /** The one of a broker. */
  static of(broker: Broker): ChainStage {
    let stage = stages.get(broker);
    if (!stage) stages.set(broker, (stage = new ChainStage(broker)));
    return stage;
  }

  private commit(commit: Commit, next: Committing): Promise<CommitResult> {
    const modes = this.modesIn(commit);
    if (modes.size === 0) return next(commit);
    const noted = notedHeads(commit);
    const unknown = Array.from(modes.keys()).filter((stream) => !noted.has(stream));
    const work = (): Promise<CommitResult> => this.commitChained(commit, modes, noted, next);
    if (unknown.length === 0) return work();
    // Side by side they would all read the same head, and all but one would do so again.
    const names = unknown.map((stream) => `${commit.partition.index} ${stream}`);
    return this.turns.take(names, work);
  }

  private async commitChained(commit: Commit, modes: Modes, noted: Heads, next: Committing): Promise<CommitResult> {
    let streams = await this.headsOf(commit, modes, noted);
    for (let attempts = 1; ; attempts++) {
      const chained = chainCommit(commit, streams, this.broker.limits.maxBytes);
      const result = await next(chained.commit);
      if (result.status === 'committed' || result.guard !== 'version' || chained.guarded.length === 0) return result;
      const now = await this.headsOf(commit, modes);
      const moved = chained.guarded.some((stream) => !isSame(streams.get(stream)!.head, now.get(stream)!.head));
      if (!moved) return result;
      streams = now;
      await wait(Math.random() * Math.min(100, 2 ** attempts));
    }
  }

  private modesIn({ partition, writes }: Commit): Modes {
    const modes = new Map<string, ChainMode>();
    if (partition.context !== this.broker.context) return modes;
    for (const write of writes) {
      if (write.kind !== 'append' || write.stream === undefined || write.events.length === 0) continue;
      const mode = this.rules.modeOf(write.stream, write.category);
      if (mode !== undefined) modes.set(write.stream, mode);
    }
    return modes;
  }

  private async headsOf(
    { partition }: Commit,
    modes: Modes,
    known: Heads = new Map(),
  ): Promise<ReadonlyMap<string, ChainedStream>> {
    const reading = Array.from(modes, async ([stream, mode]) => {
      const head = known.get(stream) ?? (await readHead(this.broker, partition, stream));
      return [stream, { mode, head }] as const;
    });
    return new Map(await Promise.all(reading));
  }
}

/** Heads that need no reading: the commit guards them itself. */
function notedHeads({ guards, writes }: Commit): Heads {
  const heads = new Map<string, StreamHead>();
  for (const guard of guards) {
    if (guard.kind !== 'version' || (guard.expected !== 'none' && guard.expected !== 0)) continue;
    heads.set(guard.stream, { version: 0, chain: undefined });
  }
  for (const write of writes) {
    const head = write.kind === 'append' && write.stream !== undefined ? notedHead(write) : undefined;
    if (head) heads.set((write as { readonly stream: string }).stream, head);
  }
  return heads;
}

function isSame(a: StreamHead, b: StreamHead): boolean {
  return a.version === b.version && a.chain === b.chain;
}
