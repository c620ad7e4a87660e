import { randomBytes } from 'node:crypto';
import { findRedis } from '@millrace/testing';
import type { Cleanups } from '../cleanups.js';
import type { DemoOptions } from '../options.js';
import type { Terminal } from '../report/terminal.js';
import { forgetNamespace } from './forget-namespace.js';
import { startProcessShop } from './process-shop.js';
import { useRunningShop } from './running-shop.js';
import type { Shop } from './shop.js';
import { storeReport } from './store-report.js';

/**
 * The shop that the options ask for, ready for orders.
 *
 * @param folder for logs and the bank's ledger
 */
export async function openShop(
  options: DemoOptions,
  folder: string,
  terminal: Terminal,
  cleanups: Cleanups,
): Promise<Shop> {
  const started = Date.now();
  const shop = await open(options, folder, terminal, cleanups);
  const { bold, dim, yellow } = terminal.colors;
  const places = Object.entries(shop.urls).map(([name, url]) => `${bold(name)} :${new URL(url).port}`);
  terminal.say(`${places.join('  ')}     ${dim(`ready in ${((Date.now() - started) / 1000).toFixed(1)} s`)}`);
  const { warnings } = options.inMemory ? { warnings: [] } : await storeReport(shop.urls);
  for (const warning of warnings) terminal.say(yellow(`Warning: ${warning}`));
  return shop;
}

async function open(options: DemoOptions, folder: string, terminal: Terminal, cleanups: Cleanups): Promise<Shop> {
  if (options.running !== undefined) {
    terminal.say(`The shop that runs on ${options.running}, with its own Redis`);
    return useRunningShop(options.running);
  }
  if (options.inMemory) {
    terminal.say(
      'In memory: one process, no Redis. Nothing survives its end, and nothing can be killed and come back.',
    );
    // Loaded only here: all services and what they need.
    const { startInMemoryShop } = await import('./in-memory-shop.js');
    const shop = await startInMemoryShop(folder);
    cleanups.add(() => shop.stop());
    return shop;
  }
  const redis = await findRedis({ say: (sentence) => terminal.say(sentence) });
  cleanups.add(() => redis.stop());
  const own = redis.kind !== 'url';
  const { bold } = terminal.colors;
  terminal.say(
    `${bold(`${redis.product} ${redis.version}`)}  ${redis.source}${own ? ', AOF on, its data are temporary' : ''}`,
  );
  const namespace = `demo-${randomBytes(4).toString('hex')}`;
  if (!own) cleanups.add(() => forgetNamespace(redis.url, namespace));
  return startProcessShop({ redis, namespace, folder, onStarted: (stop) => cleanups.add(stop) });
}
