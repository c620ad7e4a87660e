import { createHash } from 'node:crypto';
import type { RedisConnection } from './redis-connection.js';
import { isUnknownScript } from './redis-errors.js';

/** A Lua script with its digest. `#!lua` makes Redis refuse it as a whole when it is out of memory. */
export class Script {
  readonly sha: string;

  constructor(readonly text: string) {
    this.sha = createHash('sha1').update(text).digest('hex');
  }

  /** EVALSHA; where the server does not know the script, EVAL (which teaches it). */
  run(connection: RedisConnection, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    return this.call(connection, [this.sha, keys.length, ...keys, ...args]);
  }

  /**
   * As {@link run}, for many values, which are not copied.
   *
   * @param values the first place is the script's; then the number of keys, the keys, the args
   */
  async call(connection: RedisConnection, values: (string | number)[]): Promise<unknown> {
    values[0] = this.sha;
    try {
      return await connection.send('EVALSHA', values);
    } catch (error) {
      if (!isUnknownScript(error)) throw error;
      return connection.send('EVAL', [this.text, ...values.slice(1)]);
    }
  }
}
