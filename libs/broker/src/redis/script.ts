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
    return this.call(connection, (script) => [script, keys.length, ...keys, ...args]);
  }

  /**
   * As {@link run}, for many values: they are not kept until the answer comes.
   *
   * @param values the script as it is given, the number of keys, the keys, the args
   */
  call(connection: RedisConnection, values: (script: string) => (string | number)[]): Promise<unknown> {
    return connection.send('EVALSHA', values(this.sha)).catch((error: unknown) => {
      if (!isUnknownScript(error)) throw error;
      return connection.send('EVAL', values(this.text));
    });
  }
}
