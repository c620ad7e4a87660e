import type { PostgresPool } from './postgres-client.js';

const heard = new WeakSet<object>();

/**
 * Lets no connection that is lost end the process, as an `error` that nobody listens to would. One that is lost while idle is
 * replaced by the pool; one that is lost in the moment between its making and its first use says so to its first user.
 */
export function listenToErrors(pool: PostgresPool): void {
  if (heard.has(pool)) return;
  heard.add(pool);
  if (pool.listenerCount('error') === 0) pool.on('error', () => undefined);
  pool.on('connect', (client) => void client.on('error', () => undefined));
}
