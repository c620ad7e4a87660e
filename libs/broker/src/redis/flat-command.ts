import { Command } from 'ioredis';
import type { Redis } from 'ioredis';

type Args = readonly (string | number)[];

/** The heads of all but long arguments: `$<bytes>`. */
const HEADS = Array.from({ length: 4096 }, (_, bytes) => `$${bytes}`);

/**
 * A command that becomes one flat text. ioredis adds it up piece by piece: for a script with hundreds of arguments that is a rope
 * of thousands of strings, which has to be flattened to be written, and is most of the garbage of a busy writer.
 *
 * @see https://redis.io/docs/latest/develop/reference/protocol-spec/
 */
class FlatCommand extends Command {
  override toWritable(): string {
    const { name } = this;
    const args = this.args as Args;
    const lines = new Array<string>(2 * args.length + 4);
    lines[0] = `*${args.length + 1}`;
    lines[1] = headOf(name);
    lines[2] = name;
    let line = 3;
    for (const arg of args) {
      const text = typeof arg === 'string' ? arg : String(arg);
      lines[line++] = headOf(text);
      lines[line++] = text;
    }
    lines[line] = '';
    return lines.join('\r\n');
  }
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
