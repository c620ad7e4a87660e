import { ownMatch } from '../core/commit.js';
import type { Appended, AppendWrite, Commit, CommitResult } from '../core/commit.js';
import { addressOf } from '../core/partition.js';
import type { Entry } from '../core/partition.js';
import type { IndexSlice } from '../core/event-reads.js';
import type { PartitionStore } from '../core/partition-store.js';

type Reads = Pick<PartitionStore, 'readStream' | 'readState' | 'readTagged'>;

/**
 * A repeated commit was refused by a guard that its own first try may have changed: when what is stored is exactly what
 * it would have written (events carry unique ids), the first try succeeded and this is its result.
 */
export async function outcomeOfFirstTry(store: Reads, commit: Commit, refused: CommitResult): Promise<CommitResult> {
  if (refused.status !== 'refused') return refused;
  const own = await (refused.guard === 'version' || refused.guard === 'tags'
    ? ownEvents(store, commit, await (refused.guard === 'tags' ? startByTag : startByVersion)(store, commit))
    : ownState(store, commit, refused.guard));
  return own ?? refused;
}

/** The events of one commit stand side by side in the feed, so the place of one tells those of all. */
async function ownEvents(store: Reads, commit: Commit, start: number | undefined): Promise<CommitResult | undefined> {
  if (start === undefined) return undefined;
  const appended: Appended[] = [];
  for (const { write, end } of placesOf(commit)) {
    const position = start + end;
    const { stream, events } = write;
    const version = stream === undefined ? 0 : await versionAt(store, commit, stream, position);
    if (version === undefined && events.length > 0) return undefined;
    appended.push({ position, version: version ?? 0 });
  }
  return { status: 'committed', appended };
}

/** The appends of a commit, and how many events it has up to the end of each. */
function placesOf({ partition, writes }: Commit): readonly { readonly write: AppendWrite; readonly end: number }[] {
  let end = 0;
  return writes.flatMap((write) => {
    if (write.kind === 'emit' && write.log === 'feed' && addressOf(write.to) === addressOf(partition)) end++;
    if (write.kind !== 'append') return [];
    end += write.events.length;
    return [{ write, end }];
  });
}

/** Position before the own events, when they stand where the guarded version says; a stream's first append tells. */
async function startByVersion(store: Reads, commit: Commit): Promise<number | undefined> {
  const versions = new Map(
    commit.guards.flatMap((each): [string, number][] =>
      each.kind !== 'version' || each.expected === 'exists'
        ? []
        : [[each.stream, each.expected === 'none' ? 0 : each.expected]],
    ),
  );
  for (const { write, end } of placesOf(commit)) {
    const { stream = '', events } = write;
    const after = versions.get(stream);
    if (after === undefined || events.length === 0) continue;
    const { entries } = await store.readStream(commit.partition, stream, { after, limit: events.length });
    if (!events.every((event, i) => entries[i]?.fields[1] === event)) return undefined;
    return positionOf(entries.at(-1)!) - end;
  }
  return undefined;
}

async function startByTag(store: Reads, commit: Commit): Promise<number | undefined> {
  for (const guard of commit.guards) {
    const match = guard.kind === 'tags' ? ownMatch(commit, guard) : undefined;
    if (guard.kind !== 'tags' || !match) continue;
    const { tag, write, index } = match;
    const { end } = placesOf(commit).find((place) => place.write === write)!;
    for (let after: number | undefined = guard.after; after !== undefined;) {
      const { entries, next }: IndexSlice = await store.readTagged(commit.partition, tag, { after });
      const own = entries.find(({ fields }) => fields[1] === write.events[index]);
      if (own) return positionOf(own) - (end - write.events.length + index + 1);
      after = next;
    }
  }
  return undefined;
}

/** The version of a stream at a position of the feed: not far from its end, as the commit was just now. */
async function versionAt(
  store: Reads,
  { partition }: Commit,
  stream: string,
  position: number,
): Promise<number | undefined> {
  for (let after: number | undefined; ;) {
    const page = { limit: 100, backwards: true, ...(after === undefined ? {} : { after }) };
    const { entries } = await store.readStream(partition, stream, page);
    const found = entries.find((entry) => positionOf(entry) <= position);
    if (found || entries.length === 0) return found?.version;
    after = entries.at(-1)!.version;
  }
}

function positionOf({ id }: Entry): number {
  return Number(id.slice(2));
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
