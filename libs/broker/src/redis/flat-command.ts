import type { Writable } from 'node:stream';
import { Command } from 'ioredis';
import type { Redis } from 'ioredis';

type Args = readonly (string | number)[];

/** The heads of all but long arguments: `$<bytes>`. */
const HEADS = Array.from({ length: 4096 }, (_, bytes) => `$${bytes}`);

/**
 * So many characters go to the connection at once. V8 keeps strings from 128 KiB on in pages of their own, which the system makes
 * and takes back for each one: such a text costs ten times as much a byte.
 */
const CHUNK = 16 * 1024;

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
    let lines = [`*${args.length + 1}`, headOf(name), name];
    let chars = 0;
    for (const arg of args) {
      const text = typeof arg === 'string' ? arg : String(arg);
      chars += text.length;
      if (chars > CHUNK) {
        connection.write(joined(lines));
        lines = [];
        chars = text.length;
      }
      lines.push(headOf(text), text);
    }
    return joined(lines);
  }
}

function joined(lines: string[]): string {
  lines.push('');
  return lines.join('\r\n');
}

function headOf(text: string): string {
  const bytes = Buffer.byteLength(text);
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
