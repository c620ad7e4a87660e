import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import getPort, { portNumbers } from 'get-port';
import { PrivateRedis } from './private-redis.js';
import type { FoundRedis } from './found-redis.js';

/** The full path of `redis-server` or `valkey-server` on the PATH; undefined when there is neither. */
export function findServerBinary(path = process.env.PATH ?? ''): string | undefined {
  const folders = path.split(delimiter).filter(Boolean);
  for (const name of ['redis-server', 'valkey-server']) {
    const found = folders.map((folder) => join(folder, name)).find(isExecutable);
    if (found) return found;
  }
  return undefined;
}

/**
 * Starts a server of its own on a free port of 127.0.0.1, with an append-only file in a temporary folder.
 *
 * @throws Error with the server's own words when it does not start
 */
export async function redisFromBinary(binary: string, origin?: string): Promise<FoundRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-redis-'));
  const port = await getPort({ host: '127.0.0.1', port: portNumbers(firstPort(), 6489) });
  const server = new PrivateRedis(binary, port, folder);
  const discard = () => rm(folder, { recursive: true, force: true });
  try {
    const { product, version } = await server.start();
    return {
      url: server.url,
      kind: 'binary',
      source: `${origin ?? `your ${binary.slice(binary.lastIndexOf('/') + 1)}`}, private, port ${port}`,
      product,
      version,
      stop: async () => {
        await server.stop();
        await discard();
      },
      crash: async () => {
        await server.kill();
        await server.start();
      },
    };
  } catch (error) {
    await server.kill();
    await discard();
    throw error;
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Jest's workers look for ports from different ones on: else one could take the port of a server that another has killed and is
 * about to start again.
 */
function firstPort(): number {
  return 6390 + 20 * (Number(process.env['JEST_WORKER_ID'] ?? 0) % 5);
}
