import type { Writable } from 'node:stream';
import { Command } from 'ioredis';
import type { Redis } from 'ioredis';
import { youngBlanks } from '../core/young-list.js';

type Args = readonly (string | number)[];

/**
 * So many characters go to the connection at once. V8 keeps strings from 128 KiB on in pages of their own, which the system makes
 * and takes back for each one: such a text costs ten times as much a byte.
 */
const CHUNK = 16 * 1024;

/** And so many lines, two of which are an argument. */
const LINES = 256;

/** Texts that are shorter are taken for ASCII until the whole piece is known: to ask for the bytes of each costs more than the rest. */
const SHORT = 256;

/** The heads of all but long arguments: `$<bytes>`. */
const HEADS = Array.from({ length: 4096 }, (_, bytes) => `$${bytes}`);

/**
 * A command that becomes flat texts. ioredis adds it up piece by piece: for a script with hundreds of arguments that is a rope
 * of thousands of strings, which has to be flattened to be written, and is most of the garbage of a busy writer.
 *
 * @see https://redis.io/docs/latest/develop/reference/protocol-spec/
 */
class FlatCommand extends Command {
  /** @returns the last of it; what comes before has been written */
  override toWritable(connection: Writable): string {
    const { name } = this;
    const args = this.args as Args;
    const piece = new Piece(2 * args.length + 4);
    piece.line(`*${args.length + 1}`);
    piece.argument(name);
    for (const arg of args) {
      const text = typeof arg === 'string' ? arg : String(arg);
      if (!piece.hasRoom(text)) connection.write(piece.taken());
      piece.argument(text);
    }
    // What is sent is not sent again, and its answer may be long in coming.
    this.args = [];
    return piece.taken();
  }
}

/** Lines that go to the connection at once. */
class Piece {
  private readonly lines: string[];
  private count = 0;
  private chars = 0;
  /** Bytes that are known to be more than characters. */
  private more = 0;

  /** @param most lines that all of it needs */
  constructor(most: number) {
    this.lines = youngBlanks(Math.min(most, LINES + 2));
  }

  hasRoom({ length }: string): boolean {
    return this.count === 0 || (this.chars + length <= CHUNK && this.count < LINES);
  }

  line(text: string): void {
    this.lines[this.count++] = text;
  }

  argument(text: string): void {
    const { length } = text;
    const bytes = length < SHORT ? length : Buffer.byteLength(text);
    this.more += bytes - length;
    this.chars += length;
    this.line(headOf(bytes));
    this.line(text);
  }

  /** Its text. It is empty then. */
  taken(): string {
    let text = this.text();
    if (Buffer.byteLength(text) !== text.length + this.more) {
      this.measure();
      text = this.text();
    }
    this.count = 0;
    this.chars = 0;
    this.more = 0;
    return text;
  }

  private text(): string {
    const { lines, count } = this;
    lines[count] = '';
    return (count + 1 === lines.length ? lines : lines.slice(0, count + 1)).join('\r\n');
  }

  /** Some argument was not ASCII. */
  private measure(): void {
    const { lines, count } = this;
    const first = lines[0]!.startsWith('*') ? 1 : 0;
    for (let i = first; i < count; i += 2) lines[i] = headOf(Buffer.byteLength(lines[i + 1]!));
  }
}

function headOf(bytes: number): string {
  return HEADS[bytes] ?? `$${bytes}`;
}

/** Sends a command as `redis.call` does. */
export function callFlat(redis: Redis, name: string, args: Args): Promise<unknown> {
  const { keyPrefix } = redis.options;
  const replyEncoding = 'utf8';
  if (keyPrefix) {
    return redis.sendCommand(new FlatCommand(name, args as string[], { replyEncoding, keyPrefix })) as Promise<unknown>;
  }
  // Given to the constructor, they would be copied.
  const command = new FlatCommand(name, [], { replyEncoding });
  command.args = args as string[];
  return redis.sendCommand(command) as Promise<unknown>;
}
