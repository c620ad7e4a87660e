import { readBlocks } from './export-block.js';
import { ExportError } from './export-error.js';
import type { ExportHeader, ExportLine } from './export-line.js';

/** How far an export has come that broke off. */
export interface ExportPlace {
  readonly header: ExportHeader;
  /** The last line of its last whole block. */
  readonly last: ExportLine;
  readonly sha256: string;
  /** Length of what is whole. What follows is to be cut off. */
  readonly bytes: number;
  readonly complete: boolean;
}

/**
 * Reads what there is of an export, and finds where it goes on. Undefined when nothing of it is whole: then it begins anew.
 *
 * @throws ExportError when it is damaged
 */
export async function placeOf(chunks: AsyncIterable<Uint8Array | string>): Promise<ExportPlace | undefined> {
  let place: ExportPlace | undefined;
  for await (const { lines, sha256, bytes, end } of readBlocks(chunks)) {
    const first = lines[0];
    const header = place?.header ?? (first?.kind === 'header' ? first : undefined);
    if (!header) throw new ExportError(1, 'this is not the first line of an export');
    place = { header, last: lines.at(-1) ?? place!.last, sha256, bytes, complete: end };
  }
  return place;
}
