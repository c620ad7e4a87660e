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
  async run(
    connection: RedisConnection,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    try {
      return await connection.send('EVALSHA', [this.sha, keys.length, ...keys, ...args]);
    } catch (error) {
      if (!isUnknownScript(error)) throw error;
      return connection.send('EVAL', [this.text, keys.length, ...keys, ...args]);
    }
  }
}
