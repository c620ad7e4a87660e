import type { ClaimStore } from '@millrace/transforms';
import type { KeyBuilder } from '../core/keys.js';
import type { RedisConnection } from './redis-connection.js';

/**
 * Claims as strings with a time to live, beside the streams: what consumers have not fetched yet does not weigh on every
 * read, and is gone when its time is over. In a Cluster claims are spread over all nodes.
 */
export class RedisClaimStore implements ClaimStore {
  constructor(
    private readonly connection: RedisConnection,
    private readonly keys: KeyBuilder,
  ) {}

  /** SET with PX: repeating it changes nothing but the time. */
  async put(id: string, text: string, ttlMs: number): Promise<void> {
    await this.connection.send('SET', [this.keys.claim(id), text, 'PX', Math.ceil(ttlMs)]);
  }

  async get(id: string): Promise<string | undefined> {
    const text = await this.connection.send('GET', [this.keys.claim(id)]);
    return typeof text === 'string' ? text : undefined;
  }
}
