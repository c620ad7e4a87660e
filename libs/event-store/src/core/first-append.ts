import { ConfigurationError } from '@millrace/broker';
import type { Broker, Entry, TagQuery } from '@millrace/broker';
import type { AppendedTo } from './append-options.js';
import type { PreparedAppend } from './prepared-append.js';
import { positionOf } from './stored-event.js';

/**
 * Where appends with ids ended when they were done before.
 *
 * @param remembered `<position> <version>` of each append of the commit that has done so
 * @throws ConfigurationError when the first id was used with other events
 */
export async function firstAppends(
  broker: Broker,
  appends: readonly PreparedAppend[],
  remembered: string,
): Promise<readonly AppendedTo[]> {
  const figures = remembered.split(' ').filter(Boolean).map(Number);
  const found: AppendedTo[] = [];
  for (const append of appends) {
    let place: AppendedTo | undefined;
    for (let i = 0; i + 1 < figures.length && !place; i += 2) {
      place = await placeAt(broker, append, figures[i]!, figures[i + 1]!);
    }
    if (!place) {
      throw new ConfigurationError(
        `event id ${append.ids?.[0] ?? ''} was appended before with other events: give each append ids of its own`,
      );
    }
    found.push(place);
  }
  return found;
}

/** Where appends with ids stand when every stream has exactly them behind its expected version. */
export async function appendsInPlace(
  broker: Broker,
  appends: readonly PreparedAppend[],
): Promise<readonly AppendedTo[] | undefined> {
  const found: AppendedTo[] = [];
  const versions = new Map<string, number>();
  for (const append of appends) {
    const { partition, stream, expected, ids } = append;
    if (!ids || stream === undefined || expected === undefined || expected === 'exists') return undefined;
    const after = versions.get(stream) ?? (expected === 'none' ? 0 : expected);
    const { entries } = await broker.store.readStream(partition, stream, { after, limit: ids.length });
    if (!areThese(broker, entries, ids)) return undefined;
    found.push(placeOf(entries, after + ids.length));
    versions.set(stream, after + ids.length);
  }
  return found;
}

/** Where events with ids stand when they match the query that guarded them. */
export async function appendAmong(
  broker: Broker,
  append: PreparedAppend,
  query: readonly TagQuery[],
  after: number,
): Promise<AppendedTo | undefined> {
  const { ids, partition, write, stream } = append;
  const tag = query.flatMap(({ tags }) => tags).find((each) => write.tags?.[0]?.includes(each));
  if (!ids || tag === undefined) return undefined;
  for (let from: number | undefined = after; from !== undefined;) {
    const { entries, next } = await broker.store.readTagged(partition, tag, { after: from });
    const first = entries.find((entry) => idOf(broker, entry) === ids[0]);
    if (first) {
      const last = positionOf(first) + ids.length - 1;
      return placeAt(broker, append, last, stream === undefined ? 0 : await versionAt(broker, append, last));
    }
    from = next;
  }
  return undefined;
}

async function placeAt(
  broker: Broker,
  { partition, stream, ids = [] }: PreparedAppend,
  position: number,
  version: number,
): Promise<AppendedTo | undefined> {
  const count = ids.length;
  if (count === 0 || (stream === undefined) !== (version === 0)) return undefined;
  const entries =
    stream === undefined
      ? await broker.store.readFeed(partition, position - count, count)
      : (await broker.store.readStream(partition, stream, { after: version - count, limit: count })).entries;
  return areThese(broker, entries, ids) ? placeOf(entries, version) : undefined;
}

/** Version that a stream had at a position. */
async function versionAt(
  broker: Broker,
  { partition, stream = '' }: PreparedAppend,
  position: number,
): Promise<number> {
  for (let after: number | undefined; ;) {
    const page = { limit: 100, backwards: true, ...(after === undefined ? {} : { after }) };
    const { entries } = await broker.store.readStream(partition, stream, page);
    const found = entries.find((entry) => positionOf(entry) <= position);
    if (found || entries.length === 0) return found?.version ?? 0;
    after = entries.at(-1)!.version;
  }
}

function areThese(broker: Broker, entries: readonly Entry[], ids: readonly string[]): boolean {
  return entries.length === ids.length && entries.every((entry, i) => idOf(broker, entry) === ids[i]);
}

/** What cannot be read has no id. */
function idOf(broker: Broker, entry: Entry): string | undefined {
  try {
    return broker.open(entry).id;
  } catch {
    return undefined;
  }
}

function placeOf(entries: readonly Entry[], version: number): AppendedTo {
  return { version, first: positionOf(entries[0]!), position: positionOf(entries.at(-1)!) };
}
