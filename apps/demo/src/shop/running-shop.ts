import type { ServiceName, Shop } from './shop.js';
import { SERVICES, never } from './shop.js';
import { eventually, request } from './http.js';
import { storeReport } from './store-report.js';

/**
 * A shop that somebody else has started, for instance with `docker compose up`. It is left as it is.
 *
 * @throws Error when a service does not answer
 */
export async function useRunningShop(host: string): Promise<Shop> {
  const urls = Object.fromEntries(SERVICES.map((name, index) => [name, `http://${host}:${3001 + index}`])) as Record<
    ServiceName,
    string
  >;
  const ready = async () => {
    for (const [name, url] of Object.entries(urls)) {
      await eventually(`${name} at ${url}; start the shop with docker compose up`, 10_000, async () =>
        (await request(`${url}/health`, {}, 2000)).status === 200 ? true : undefined,
      );
    }
  };
  await ready();
  const { server } = await storeReport(urls);
  return {
    urls,
    redis: { source: `of the shop running on ${host}`, version: server.slice(server.indexOf(' ') + 1) },
    failure: never(),
    killable: () => [],
    kill: () => undefined,
    ready,
    stop: async () => undefined,
  };
}
