import { ExportError } from './export-error.js';

/** Bytes of one line at most: some times those of the largest event. */
const LONGEST = 64 * 1024 * 1024;

/** A line without its end, and the bytes of the text up to and with its end. */
export interface TextLine {
  readonly text: string;
  readonly end: number;
}

/**
 * The lines of a text, split at `\n` and nowhere else: JSON may hold U+2028, at which others split. What stands behind the
 * last `\n` is no line.
 *
 * @throws ExportError for a line that does not end
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<TextLine> {
  let pieces: Buffer[] = [];
  let held = 0;
  let end = 0;
  let count = 0;
  for await (const chunk of chunks) {
    const bytes =
      typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    let from = 0;
    for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, from)) {
      const piece = bytes.subarray(from, at);
      end += held + piece.length + 1;
      count++;
      yield { text: (held > 0 ? Buffer.concat([...pieces, piece]) : piece).toString(), end };
      pieces = [];
      held = 0;
      from = at + 1;
    }
    if (from === bytes.length) continue;
    // A copy: the rest of the chunk need not stay for it.
    pieces.push(Buffer.from(bytes.subarray(from)));
    held += bytes.length - from;
    if (held > LONGEST) throw new ExportError(count + 1, `it has more than ${LONGEST} bytes: this is no export`);
  }
}
