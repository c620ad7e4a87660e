import type { Appended, Commit, CommitResult } from '../core/commit.js';
import { addressOf } from '../core/partition.js';
import type { PartitionStore } from '../core/partition-store.js';

/**
 * A repeated commit was refused by a guard that its own first try may have changed: when what is stored is exactly what
 * it would have written (events carry unique ids), the first try succeeded and this is its result.
 */
export async function outcomeOfFirstTry(
  store: Pick<PartitionStore, 'readStream' | 'readState'>,
  commit: Commit,
  refused: CommitResult,
): Promise<CommitResult> {
  if (refused.status !== 'refused') return refused;
  const own =
    refused.guard === 'version' ? await ownEvents(store, commit) : await ownState(store, commit, refused.guard);
  return own ?? refused;
}

/** The events of one commit stand side by side in the feed, so the place of one append tells those of all. */
async function ownEvents(store: Pick<PartitionStore, 'readStream'>, commit: Commit): Promise<CommitResult | undefined> {
  const versions = new Map(commit.guards.flatMap((g) => (g.kind === 'version' ? [[g.stream, g.expected]] : [])));
  const appended: Appended[] = [];
  let count = 0;
  let start: number | undefined;
  const home = addressOf(commit.partition);
  for (const write of commit.writes) {
    if (write.kind === 'emit' && write.log === 'feed' && addressOf(write.to) === home) count++;
    if (write.kind !== 'append') continue;
    const { stream, events } = write;
    count += events.length;
    const version = stream === undefined ? undefined : versions.get(stream);
    if (stream !== undefined && version !== undefined) {
      const { entries } = await store.readStream(commit.partition, stream, version);
      if (!events.every((event, i) => entries[i]?.fields[1] === event)) return undefined;
      const last = entries[events.length - 1];
      if (events.length > 0) start ??= Number(last!.id.slice(2)) - count;
      versions.set(stream, version + events.length);
    }
    appended.push({ position: count, version: version === undefined ? 0 : version + events.length });
  }
  if (start === undefined) return undefined;
  const first = start;
  return { status: 'committed', appended: appended.map((each) => ({ ...each, position: first + each.position })) };
}

async function ownState(
  store: Pick<PartitionStore, 'readState'>,
  commit: Commit,
  guard: string,
): Promise<CommitResult | undefined> {
  if (guard !== 'revision') return undefined;
  for (const write of commit.writes) {
    if (write.kind !== 'put') continue;
    const stored = await store.readState(commit.partition, write.state);
    const guarded = commit.guards.find((g) => g.kind === 'revision' && g.state === write.state);
    if (guarded?.kind !== 'revision') continue;
    if (stored?.value !== write.value || stored.revision !== guarded.expected + 1) return undefined;
  }
  return { status: 'committed', appended: [] };
}
