import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import getPort, { portNumbers } from 'get-port';
import { ServiceProcess } from './service-process.js';
import type { ServiceName, Shop } from './shop.js';
import { SERVICES } from './shop.js';

export interface ProcessShopOptions {
  readonly redis: { readonly url: string; readonly source: string; readonly version: string };
  /** Keeps the keys of this shop apart from others on the same Redis. */
  readonly namespace: string;
  /** For logs and the bank's ledger. */
  readonly folder: string;
  /** Told how to stop the services as soon as there is something to stop. */
  readonly onStarted: (stop: () => Promise<void>) => void;
}

/** The shop as its users run it: each service a process of its own, on ports 3001 to 3004 where they are free. */
export async function startProcessShop(options: ProcessShopOptions): Promise<Shop> {
  try {
    return await start(options, (index) => getPort({ port: [3001 + index, ...portNumbers(3101, 3999)] }));
  } catch (error) {
    // Somebody took the port between looking and listening: the second try asks the system for ports.
    if (!/EADDRINUSE/.test((error as Error).message)) throw error;
    return start(options, () => getPort());
  }
}

async function start(
  { redis, namespace, folder, onStarted }: ProcessShopOptions,
  portOf: (index: number) => Promise<number>,
): Promise<Shop> {
  let lose: (error: Error) => void = () => undefined;
  const failure = new Promise<never>((_, reject) => (lose = reject));
  failure.catch(() => undefined);

  const env = { REDIS_URL: redis.url, MILLRACE_NAMESPACE: namespace, BANK_LEDGER: join(folder, 'bank.ndjson') };
  const services = new Map<ServiceName, ServiceProcess>();
  for (const [index, name] of SERVICES.entries()) {
    const port = await portOf(index);
    const main = fileURLToPath(new URL(`../../../${name}/dist/main.js`, import.meta.url));
    services.set(name, new ServiceProcess(name, { main, port, env, logFile: join(folder, `${name}.log`) }, lose));
  }

  const all = [...services.values()];
  let stopped = false;
  const shop: Shop = {
    urls: Object.fromEntries(all.map(({ name, url }) => [name, url])) as Record<ServiceName, string>,
    redis,
    keyspace: { url: redis.url, namespace },
    failure,
    killable: () => all.filter(({ up }) => up).map(({ name }) => name),
    kill: (name) => {
      const service = services.get(name)!;
      const revive = async () => {
        await service.kill();
        if (stopped) return;
        service.start();
        await service.ready();
      };
      revive().catch(lose);
    },
    ready: async () => void (await Promise.race([failure, Promise.all(all.map((service) => service.ready()))])),
    stop: async () => {
      stopped = true;
      await Promise.all(all.map((service) => service.stop()));
    },
  };
  onStarted(shop.stop);
  for (const service of all) service.start();
  try {
    await shop.ready();
    return shop;
  } catch (error) {
    await shop.stop();
    throw error;
  }
}
