import { isDeepStrictEqual } from 'node:util';
import { compareIndexes } from '../event-index.js';
import type { RestoredEvent } from '../event-index.js';
import { addressOf } from '../partition.js';
import type { Partition } from '../partition.js';
import type { PartitionStore } from '../partition-store.js';
import { readBlocks } from './export-block.js';
import type { TransferProgress } from './export-context.js';
import { ExportError } from './export-error.js';
import type { ExportHeader, ExportLine } from './export-line.js';

export interface ImportOptions {
  readonly onProgress?: (progress: TransferProgress) => void;
}

/** What an import has done. */
export interface Imported {
  readonly context: string;
  readonly partitions: number;
  /** Events it has written. */
  readonly events: number;
  /** Events that were there already, from an import of the same export that broke off. */
  readonly present: number;
}

type Line<Kind extends ExportLine['kind']> = Extract<ExportLine, { kind: Kind }>;

/**
 * Puts an export into a store that has no events of that context, or those that an import of the same export has left when it
 * broke off: what is there is held against the export, and not written again. Nothing else may write to the context meanwhile.
 *
 * Nothing of a damaged block is written. Whatever ends the import, doing it again goes on where it was.
 *
 * @throws ExportError for an export that is damaged or has gaps, and for a context that holds something else
 */
export async function importContext(
  store: PartitionStore,
  chunks: AsyncIterable<Uint8Array | string>,
  { onProgress = () => undefined }: ImportOptions = {},
): Promise<Imported> {
  let target: ImportTarget | undefined;
  let complete = false;
  for await (const { lines, first, end } of readBlocks(chunks)) {
    complete = end;
    let rest = lines;
    if (!target) {
      const header = lines[0];
      if (header?.kind !== 'header') throw new ExportError(1, 'this is not the first line of an export');
      target = await ImportTarget.open(store, header);
      rest = lines.slice(1);
    }
    await target.take(rest, first + lines.length - rest.length);
    onProgress(target.progress);
  }
  if (!target) throw new ExportError(1, 'there is not one whole block: the export broke off at once');
  if (!complete)
    throw new ExportError(0, 'the export breaks off: finish it, and import it again; this goes on from there');
  await target.checkEnds();
  return target.result;
}

/** The context that is written, and how far. */
class ImportTarget {
  private events = 0;
  private present = 0;
  /** Last position of each partition that the export has told of. */
  private readonly told: number[];
  private last: Line<'index'> | undefined;

  private constructor(
    private readonly store: PartitionStore,
    private readonly header: ExportHeader,
    private readonly heads: number[],
  ) {
    this.told = header.heads.map(() => 0);
  }

  static async open(store: PartitionStore, header: ExportHeader): Promise<ImportTarget> {
    const { context, heads } = header;
    const partitions = await store.declareContext(context, heads.length);
    if (partitions !== heads.length) {
      throw new ExportError(
        1,
        `context '${context}' has ${partitions} partitions here, the export ${heads.length}: the partition of a key depends ` +
          `on it, so import into another namespace`,
      );
    }
    const found = await Promise.all(heads.map((_, index) => store.head({ context, index })));
    return new ImportTarget(store, header, found);
  }

  get progress(): TransferProgress {
    const sum = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0);
    return { events: sum(this.told), total: sum(this.header.heads) };
  }

  get result(): Imported {
    const { context, heads } = this.header;
    return { context, partitions: heads.length, events: this.events, present: this.present };
  }

  /** The lines of one block. */
  async take(lines: readonly ExportLine[], first: number): Promise<void> {
    let batch: Line<'event'>[] = [];
    for (const [i, line] of lines.entries()) {
      const number = first + i;
      if (line.kind === 'header' || line.kind === 'block')
        throw new ExportError(number, `a ${line.kind} stands inside`);
      if (line.partition >= this.told.length) {
        throw new ExportError(number, `partition ${line.partition} is none of the ${this.told.length}`);
      }
      if (line.kind === 'event' && (batch.length === 0 || batch[0]!.partition === line.partition)) {
        this.follows(line.partition, line.position, number);
        this.told[line.partition] = line.position;
        batch.push(line);
        continue;
      }
      await this.write(batch, number);
      batch = [];
      if (line.kind === 'event') {
        this.follows(line.partition, line.position, number);
        this.told[line.partition] = line.position;
        batch.push(line);
      } else if (line.kind === 'removed') {
        this.follows(line.partition, line.from, number);
        this.told[line.partition] = line.to;
      } else {
        await this.list(line, number);
      }
    }
    await this.write(batch, first + lines.length);
  }

  /** @throws ExportError when the context has more events than the export */
  async checkEnds(): Promise<void> {
    for (const [index, told] of this.told.entries()) {
      const partition = this.partition(index);
      const exported = this.header.heads[index]!;
      if (told !== exported) throw new ExportError(0, `${addressOf(partition)} ends at ${told} instead of ${exported}`);
      const head = await this.store.head(partition);
      if (head > told) throw this.occupied(partition, `it has ${head} positions, the export ${told}`);
    }
  }

  private follows(index: number, position: number, number: number): void {
    const expected = this.told[index]! + 1;
    if (position === expected) return;
    throw new ExportError(
      number,
      `${addressOf(this.partition(index))}: position ${expected} is missing, the next one is ${position}`,
    );
  }

  private async write(batch: readonly Line<'event'>[], number: number): Promise<void> {
    const first = batch[0];
    if (!first) return;
    const partition = this.partition(first.partition);
    const head = this.heads[first.partition]!;
    const news = batch.filter(({ position }) => position > head);
    const old = batch.slice(0, batch.length - news.length);
    if (old.length > 0) await this.compare(partition, old);
    if (news.length > 0) {
      if (!(await this.store.restoreEvents(partition, head, news))) {
        throw new ExportError(number, `${addressOf(partition)} no longer ends at ${head}: somebody else writes to it`);
      }
      this.heads[first.partition] = news.at(-1)!.position;
    }
    this.events += news.length;
    this.present += old.length;
  }

  private async compare(partition: Partition, old: readonly RestoredEvent[]): Promise<void> {
    const found = await this.store.readFeed(partition, old[0]!.position - 1, old.length);
    for (const [i, { position, fields }] of old.entries()) {
      const entry = found[i];
      if (entry?.id === `0-${position}` && isDeepStrictEqual(entry.fields, fields)) continue;
      throw this.occupied(partition, `position ${position} is another event`);
    }
  }

  private async list(line: Line<'index'>, number: number): Promise<void> {
    this.checkOrder(line, number);
    const { index, offset, positions } = line;
    const partition = this.partition(line.partition);
    const found = await this.store.readPositions(partition, index, offset, positions.length);
    if (found.some((position, i) => position !== positions[i])) {
      throw this.occupied(partition, `${index.kind} ${index.name} has other events`);
    }
    const news = positions.slice(found.length);
    if (news.length === 0) return;
    if (await this.store.restorePositions(partition, index, offset + found.length, news)) return;
    throw this.occupied(partition, `${index.kind} ${index.name} has another length`);
  }

  private checkOrder(line: Line<'index'>, number: number): void {
    const { last } = this;
    this.last = line;
    const goesOn = last?.partition === line.partition && compareIndexes(last.index, line.index) === 0;
    const offset = goesOn ? last.offset + last.positions.length : 0;
    if (line.offset === offset) return;
    const { kind, name } = line.index;
    throw new ExportError(number, `${kind} ${name}: place ${offset} is missing, the next one is ${line.offset}`);
  }

  private partition(index: number): Partition {
    return { context: this.header.context, index };
  }

  private occupied(partition: Partition, difference: string): ExportError {
    return new ExportError(
      0,
      `${addressOf(partition)} holds events that are not those of the export (${difference}): import into another namespace`,
    );
  }
}
