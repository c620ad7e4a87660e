import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cleanups } from './cleanups.js';
import type { DemoOptions } from './options.js';
import { readOptions } from './options.js';
import { report } from './report/report.js';
import { Terminal } from './report/terminal.js';
import { isGood } from './result.js';
import { runOrders } from './run-orders.js';
import { openShop } from './shop/open-shop.js';

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/** @returns the exit code */
async function demo(options: DemoOptions, cleanups: Cleanups, interrupted: Promise<never>): Promise<number> {
  const terminal = new Terminal(options.json ? process.stderr : process.stdout);
  cleanups.add(async () => terminal.endProgress());
  const folder = await mkdtemp(join(tmpdir(), 'millrace-demo-'));
  let keepLogs = false;
  cleanups.add(async () => (keepLogs ? undefined : rm(folder, { recursive: true, force: true })));

  const shop = await Promise.race([interrupted, openShop(options, folder, terminal, cleanups)]);
  terminal.say(terminal.colors.dim(`${options.orders} orders, --seed ${options.seed}`));
  const run = await Promise.race([interrupted, shop.failure, runOrders(options, shop, terminal)]);
  await report(run, shop, terminal);
  const good = isGood(run.result);
  keepLogs = !good && options.running === undefined;
  if (keepLogs) terminal.say(`The logs of the services are in ${folder}`);
  if (options.json) process.stdout.write(`${JSON.stringify(run.result)}\n`);
  if (options.keep) {
    terminal.say('\nEverything keeps running. Look around:');
    for (const [name, url] of Object.entries(shop.urls)) terminal.say(`  ${name.padEnd(14)}${url}/docs`);
    if (shop.keyspace)
      terminal.say(`  ${'Redis'.padEnd(14)}redis-cli -u ${shop.keyspace.url}   keys {${shop.keyspace.namespace}:...}`);
    terminal.say('Ctrl-C stops it.');
    await Promise.race([shop.failure, interrupted]).catch((error: unknown) => {
      if (!(error instanceof Interruption)) throw error;
    });
  } else if (good) {
    terminal.say(terminal.colors.dim('Try next: npm run demo -- --kill     npm run demo -- --keep'));
  }
  return good ? 0 : 1;
}

class Interruption extends Error {
  constructor(readonly exitCode: number) {
    super('interrupted');
  }
}

function onSignal(): Promise<never> {
  return new Promise((_, reject) => {
    for (const [signal, code] of Object.entries(EXIT_CODES)) {
      process.once(signal, () => {
        // The second one does not wait for anything.
        process.on(signal, () => process.exit(code));
        reject(new Interruption(code));
      });
    }
  });
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
  });
  if (typeof options === 'number') return options;
  const cleanups = new Cleanups();
  const interrupted = onSignal();
  interrupted.catch(() => undefined);
  try {
    return await demo(options, cleanups, interrupted);
  } catch (error) {
    if (error instanceof Interruption) return error.exitCode;
    console.error((error as Error).message);
    return 1;
  } finally {
    await cleanups.run();
  }
}

// Explicit, because a killed service can leave half-open connections behind.
process.exit(await main());
