import { createHash } from 'node:crypto';
import { ExportError } from './export-error.js';
import { readLine, writeLine } from './export-line.js';
import type { ExportLine } from './export-line.js';
import { linesOf } from './lines-of.js';

/** Lines and characters after which a block is closed. */
const BLOCK_LINES = 500;
const BLOCK_LENGTH = 1024 * 1024;

/** Gathers lines to blocks. Each ends with a checksum over itself and the one before, so a block stands for all before it. */
export class BlockWriter {
  private text = '';
  private lines = 0;

  /** @param sha256 checksum of the block before, for an export that goes on */
  constructor(private sha256 = '') {}

  /** @returns a block, when the line has filled one */
  add(line: ExportLine): string | undefined {
    this.text += `${writeLine(line)}\n`;
    this.lines++;
    return this.lines >= BLOCK_LINES || this.text.length >= BLOCK_LENGTH ? this.close(false) : undefined;
  }

  /** The last block. */
  end(): string {
    return this.close(true);
  }

  private close(end: boolean): string {
    this.sha256 = digest(this.sha256, this.text);
    const block = `${this.text}${writeLine({ kind: 'block', sha256: this.sha256, end })}\n`;
    this.text = '';
    this.lines = 0;
    return block;
  }
}

/** The lines of one block, whose checksum is right. */
export interface ExportBlock {
  readonly lines: readonly ExportLine[];
  /** Number of its first line in the export. */
  readonly first: number;
  readonly sha256: string;
  /** Whether the export ends with it. */
  readonly end: boolean;
  /** Bytes of the export up to its end. */
  readonly bytes: number;
}

/**
 * Reads an export block by block, and gives none that is damaged. One that breaks off has no block with `end`.
 *
 * @throws ExportError at a block whose checksum is wrong, or a line that cannot be read
 */
export async function* readBlocks(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<ExportBlock> {
  let sha256 = '';
  let number = 0;
  let texts: string[] = [];
  let lines: ExportLine[] = [];
  for await (const { text, end: bytes } of linesOf(chunks)) {
    const line = readLine(text, ++number);
    if (line.kind !== 'block') {
      texts.push(`${text}\n`);
      lines.push(line);
      // No more than a block has, so that a file without checksums takes no memory.
      if (lines.length > BLOCK_LINES)
        throw new ExportError(number, `the checksum is missing that comes every ${BLOCK_LINES} lines`);
      continue;
    }
    const first = number - lines.length;
    sha256 = digest(sha256, texts.join(''));
    if (sha256 !== line.sha256) {
      throw new ExportError(
        number,
        `lines ${first} to ${number - 1} are not what was exported: their checksum is wrong`,
      );
    }
    yield { lines, first, sha256, end: line.end, bytes };
    if (line.end) return;
    texts = [];
    lines = [];
  }
}

function digest(before: string, text: string): string {
  return createHash('sha256').update(before).update(text).digest('hex');
}
