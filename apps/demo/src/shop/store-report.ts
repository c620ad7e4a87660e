import { request } from './http.js';
import type { Shop } from './shop.js';

/** What a service's health endpoint says about the store behind it. */
export interface StoreReport {
  /** e.g. `Redis 7.0.15` */
  readonly server: string;
  /** One sentence per danger. */
  readonly warnings: readonly string[];
}

export async function storeReport({ order }: Shop['urls']): Promise<StoreReport> {
  const { body } = await request(`${order}/health`);
  const store = (body as { info?: { store?: Partial<StoreReport> } } | undefined)?.info?.store;
  return { server: store?.server ?? 'unknown', warnings: store?.warnings ?? [] };
}
