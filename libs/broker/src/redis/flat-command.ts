import { Command } from 'ioredis';
import type { Redis } from 'ioredis';

/** The heads of all but long arguments: `$<bytes>`. */
const HEADS = Array.from({ length: 4096 }, (_, bytes) => `$${bytes}`);

/**
 * A command that becomes one flat text. ioredis adds it up piece by piece: for a script with hundreds of arguments that is a rope
 * of thousands of strings, which has to be flattened to be written, and is most of the garbage of a busy writer.
 *
 * @see https://redis.io/docs/latest/develop/reference/protocol-spec/
 */
export class FlatCommand extends Command {
  override toWritable(): string {
    const { name, args } = this;
    const lines = [`*${args.length + 1}`, headOf(name), name];
    for (const arg of args as readonly string[]) lines.push(headOf(arg), arg);
    lines.push('');
    return lines.join('\r\n');
  }
}

function headOf(text: string): string {
  const bytes = Buffer.byteLength(text);
  return HEADS[bytes] ?? `$${bytes}`;
}

/** Sends a command as `redis.call` does. */
export function call(redis: Redis, command: string, args: readonly (string | number)[]): Promise<unknown> {
  const { keyPrefix } = redis.options;
  const options = { replyEncoding: 'utf8' as const, ...(keyPrefix ? { keyPrefix } : {}) };
  return redis.sendCommand(new FlatCommand(command, args as string[], options)) as Promise<unknown>;
}
