import { join } from 'node:path';
import type { INestApplication } from '@nestjs/common';
import { InMemoryPartitionStore } from '@millrace/broker';
import type { PartitionStore } from '@millrace/broker';
import getPort from 'get-port';
import type { ServiceName, Shop } from './shop.js';
import { SERVICES, never } from './shop.js';

interface ServicePackage {
  createApp(options: { store: PartitionStore; bankLedger: string; logger: ['error'] }): Promise<INestApplication>;
}

const PACKAGES: Record<ServiceName, () => Promise<unknown>> = {
  catalog: () => import('@shop/catalog'),
  order: () => import('@shop/order'),
  payment: () => import('@shop/payment'),
  orchestrator: () => import('@shop/orchestrator'),
};

/** All four services in this process, on one store in its memory. */
export async function startInMemoryShop(folder: string): Promise<Shop> {
  const store = new InMemoryPartitionStore();
  const apps: INestApplication[] = [];
  const urls: Partial<Record<ServiceName, string>> = {};
  const stop = async () => {
    for (const app of apps.splice(0).reverse()) await app.close();
    await store.close();
  };
  try {
    for (const [index, name] of SERVICES.entries()) {
      const { createApp } = (await PACKAGES[name]()) as ServicePackage;
      const app = await createApp({ store, bankLedger: join(folder, 'bank.ndjson'), logger: ['error'] });
      apps.push(app);
      const port = await getPort({ port: 3001 + index });
      await app.listen(port);
      urls[name] = `http://127.0.0.1:${port}`;
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    urls: urls as Record<ServiceName, string>,
    redis: { source: 'none, in memory', version: 'none' },
    failure: never(),
    killable: () => [],
    kill: () => undefined,
    ready: async () => undefined,
    stop,
  };
}
