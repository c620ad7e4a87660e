import type { EventEmitter } from 'node:events';
import { StoreUnavailableError } from '../core/errors.js';

/** What a Redis and a Cluster of ioredis have in common. */
interface Client extends EventEmitter {
  readonly status: string;
  connect(): Promise<void>;
}

/** Resolves when commands can be sent; connects where nobody has yet. */
export function ready(client: Client, deadlineMs: number): Promise<void> {
  if (client.status === 'end') {
    return Promise.reject(new StoreUnavailableError('the connection to Redis has been closed'));
  }
  if (client.status === 'wait') client.connect().catch(() => undefined);
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => () => {
      clearTimeout(timer);
      client.off('ready', isReady).off('end', end);
      act();
    };
    const refuse = (text: string) => settle(() => reject(new StoreUnavailableError(text)));
    const isReady = settle(resolve);
    const end = refuse('the connection to Redis was closed');
    const late = refuse(`no connection to Redis within ${deadlineMs} ms`);
    const timer = deadlineMs > 0 ? setTimeout(late, deadlineMs) : undefined;
    client.once('ready', isReady).once('end', end);
  });
}
