import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportContext } from '@millrace/broker';
import type { PartitionStore } from '@millrace/broker';
import { ended, spawnBound } from '@millrace/testing';
import { commandOf } from '../support/program-of.js';
import { eventually, freshNamespace, onTestFinished, redisUrl } from '../support/redis.js';
import { redisStore } from '../support/store.js';

const EVENTS = 12_000;
const KILLS = 2;

async function fill(store: PartitionStore): Promise<void> {
  await store.declareContext('order', 2);
  for (let n = 0; n < EVENTS; n += 500) {
    const events = Array.from({ length: 500 }, (_, i) =>
      JSON.stringify({ id: `${n + i}`, type: 'order.placed', data: {} }),
    );
    const append = { kind: 'append', events, stream: `order-${n % 7}`, category: 'order' } as const;
    const tags = events.map((_, i) => (i % 5 === 0 ? ['vip'] : []));
    const partition = { context: 'order', index: (n / 500) % 2 };
    await store.commit({ partition, guards: [], writes: [{ ...append, tags }] });
  }
}

async function exported(store: PartitionStore): Promise<string> {
  let text = '';
  for await (const block of exportContext(store, 'order')) text += block;
  return text;
}

/** Runs the command until it has got further, and kills it; again and again, and at last to its end. */
async function killed(words: readonly string[], progress: () => Promise<number>): Promise<void> {
  const start = () => {
    const child = spawnBound(process.execPath, [commandOf('broker', 'millrace'), ...words], { stdio: 'ignore' });
    const end = ended(child);
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await end;
    });
    return { child, end };
  };
  for (let kills = 0; kills < KILLS; kills++) {
    const before = await progress();
    const { child, end } = start();
    await eventually(async () => expect(await progress()).toBeGreaterThan(before), 30_000);
    child.kill('SIGKILL');
    expect(await end).toBe('SIGKILL');
  }
  expect(await start().end).toBe(0);
}

describe('commands that are killed', () => {
  it('export and import the same bytes when they are called again', async () => {
    const [from, to] = [freshNamespace(), freshNamespace()];
    const [source, target] = [await redisStore(from), await redisStore(to)];
    await fill(source);
    const whole = await exported(source);
    const folder = await mkdtemp(join(tmpdir(), 'millrace-transfer-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, 'order.ndjson');
    const where = (namespace: string) => ['--redis', redisUrl(), '--namespace', namespace, '--file', file];

    await killed(['export', '--context', 'order', ...where(from)], () =>
      stat(file).then(
        ({ size }) => size,
        () => 0,
      ),
    );
    expect((await readFile(file, 'utf8')) === whole).toBe(true);

    await killed(['import', ...where(to)], async () => {
      const heads = [0, 1].map((index) => target.head({ context: 'order', index }));
      return (await Promise.all(heads)).reduce((sum, head) => sum + head, 0);
    });
    expect((await exported(target)) === whole).toBe(true);
  }, 120_000);
});
