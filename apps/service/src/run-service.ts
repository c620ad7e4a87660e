import type { INestApplication } from '@nestjs/common';
import type { ServiceOptions } from './service-options.js';

/**
 * Starts a service as a process of its own: REDIS_URL, MILLRACE_NAMESPACE and PORT tell it where. It stops on SIGTERM
 * and SIGINT when what it handles is committed. A start that fails prints one sentence and exits with 1.
 */
export async function runService(
  name: string,
  defaultPort: number,
  create: (options: ServiceOptions) => Promise<INestApplication>,
): Promise<void> {
  const { REDIS_URL: redisUrl, MILLRACE_NAMESPACE: namespace, PORT } = process.env;
  try {
    const app = await create({ ...(redisUrl ? { redisUrl } : {}), ...(namespace ? { namespace } : {}) });
    app.enableShutdownHooks();
    await app.listen(portOf(PORT, defaultPort));
    console.log(`${name} listens on ${await app.getUrl()}`);
  } catch (error) {
    console.error(`${name} cannot start: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(1);
  }
}

function portOf(text: string | undefined, fallback: number): number {
  if (!text) return fallback;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Error(`PORT is '${text}', it must be a number from 0 to 65535`);
}
