import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ended, findRedis, spawnBound } from '@millrace/testing';
import type { FoundRedis } from '@millrace/testing';
import getPort from 'get-port';
import { Redis } from 'ioredis';
import { eventually, onTestFinished } from './redis.js';

/** A server of the test's own, to be configured and crashed. */
export async function privateRedis(): Promise<FoundRedis & { readonly crash: () => Promise<void> }> {
  const redis = await findRedis({ skip: ['url', 'container'] });
  onTestFinished(() => redis.stop());
  if (!redis.crash) throw new Error(`a server from ${redis.source} cannot be crashed`);
  return { ...redis, crash: redis.crash };
}

/** A connection for commands past Millrace. */
export function admin(url: string): Redis {
  const redis = new Redis(url, { lazyConnect: true });
  redis.on('error', () => undefined);
  onTestFinished(async () => redis.disconnect());
  return redis;
}

/** A Redis Cluster of one node, which has all slots and refuses keys of two. */
export async function clusterNode(): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-cluster-'));
  const [port, bus] = [await getPort({ host: '127.0.0.1' }), await getPort({ host: '127.0.0.1' })];
  const settings = { port, 'cluster-port': bus, bind: '127.0.0.1', dir: folder, save: '', 'cluster-enabled': 'yes' };
  const words = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawnBound('redis-server', words, { stdio: 'ignore' }, folder);
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended(child);
    await rm(folder, { recursive: true, force: true });
  };
  const url = `redis://127.0.0.1:${port}`;
  const redis = new Redis(url);
  redis.on('error', () => undefined);
  await redis.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  await eventually(async () => expect(String(await redis.call('CLUSTER', 'INFO'))).toContain('cluster_state:ok'));
  redis.disconnect();
  return { url, stop };
}
