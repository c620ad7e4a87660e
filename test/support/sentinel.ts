import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ended, spawnBound } from '@millrace/testing';
import getPort from 'get-port';
import { Redis } from 'ioredis';
import { eventually, onTestFinished } from './redis.js';
import { serverProcess } from './server-process.js';
import type { ServerProcess } from './server-process.js';

/** A master, its replica, and a Sentinel that watches them as `millrace`. */
export interface WatchedRedis {
  readonly sentinels: { host: string; port: number }[];
  readonly master: ServerProcess;
  /** Resolves when the replica has everything that the master has. */
  replicated(): Promise<void>;
}

export async function watchedRedis(): Promise<WatchedRedis> {
  const host = '127.0.0.1';
  const quick = { 'repl-diskless-sync-delay': 0 };
  const master = await serverProcess((port) => ({ port, ...quick }));
  await serverProcess((port) => ({ port, ...quick, replicaof: `${host} ${master.port}` }));
  const sentinel = await startSentinel(`sentinel monitor millrace ${host} ${master.port} 1
sentinel down-after-milliseconds millrace 500
sentinel failover-timeout millrace 2000`);
  const redis = new Redis(master.port, host, { disconnectTimeout: 100 });
  const watcher = new Redis(sentinel, host, { disconnectTimeout: 100 });
  for (const client of [redis, watcher]) {
    client.on('error', () => undefined);
    onTestFinished(async () => client.disconnect());
  }
  await eventually(async () => expect(await redis.info('replication')).toContain('state=online'), 20_000);
  await eventually(async () => expect(await watcher.call('SENTINEL', 'REPLICAS', 'millrace')).toHaveLength(1), 20_000);
  return {
    sentinels: [{ host, port: sentinel }],
    master,
    replicated: async () => {
      // WAIT is for the last write of its own connection, and at once satisfied where there was none.
      await redis.set('replicated', '');
      expect(await redis.wait(1, 20_000)).toBe(1);
    },
  };
}

/** Its configuration is a file, which it writes to. */
async function startSentinel(monitor: string): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-sentinel-'));
  const port = await getPort({ host: '127.0.0.1' });
  const file = join(folder, 'sentinel.conf');
  await writeFile(file, `port ${port}\nbind 127.0.0.1\ndir ${folder}\n${monitor}\n`);
  const child = spawnBound('redis-server', [file, '--sentinel'], { stdio: 'ignore' }, folder);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended(child);
  });
  return port;
}
