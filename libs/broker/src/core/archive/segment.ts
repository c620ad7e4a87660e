import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { readEvent, writeEvent } from '../export/export-line.js';
import type { Entry, Partition } from '../partition.js';
import { ArchiveError } from './archive-error.js';

/** Consecutive events of a feed, as one object of an archive: NDJSON, compressed by gzip. */
export interface Segment {
  readonly key: string;
  readonly from: number;
  readonly to: number;
  /** Of the NDJSON. */
  readonly sha256: string;
}

/** Where the segments of a partition are. */
export function segmentFolder({ context, index }: Partition): string {
  return `${context}/${index}/`;
}

export async function writeSegment(partition: Partition, entries: readonly Entry[]): Promise<[Segment, Uint8Array]> {
  const text = entries
    .map((entry) => `{${writeEvent({ position: positionOf(entry), fields: entry.fields })}}\n`)
    .join('');
  const [from, to, sha256] = [positionOf(entries[0]!), positionOf(entries.at(-1)!), digest(text)];
  const key = `${segmentFolder(partition)}${padded(from)}-${padded(to)}.${sha256}.ndjson.gz`;
  return [{ key, from, to, sha256 }, await promisify(gzip)(text)];
}

/** Undefined when the key is not that of a segment. */
export function segmentAt(key: string): Segment | undefined {
  const match = /\/(\d+)-(\d+)\.([0-9a-f]{64})\.ndjson\.gz$/.exec(key);
  return match ? { key, from: Number(match[1]), to: Number(match[2]), sha256: match[3]! } : undefined;
}

/**
 * The events of a segment, oldest first.
 *
 * @throws ArchiveError when they are not those that were written
 */
export async function readSegment(
  partition: Partition,
  segment: Segment,
  bytes: Uint8Array,
): Promise<readonly Entry[]> {
  const text = await promisify(gunzip)(bytes).then(String, (cause: unknown) => {
    throw new ArchiveError(`${segment.key} is damaged: ${(cause as Error).message}`, { cause });
  });
  if (digest(text) !== segment.sha256) throw new ArchiveError(`${segment.key} is damaged: its checksum is wrong`);
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const { position, fields } = readEvent(JSON.parse(line) as Record<string, unknown>)!;
      return { source: { partition, log: 'feed' }, id: `0-${position}`, fields };
    });
}

export function positionOf({ id }: Pick<Entry, 'id'>): number {
  return Number(id.slice(id.indexOf('-') + 1));
}

/** So that keys sort as positions do. */
function padded(position: number): string {
  return String(position).padStart(16, '0');
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
