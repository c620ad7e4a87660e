import { setTimeout as sleep } from 'node:timers/promises';
import { partitionOf } from '@millrace/broker';
import fc from 'fast-check';
import { eventually } from '../support/redis.js';
import { redisSite } from '../support/site.js';
import type { Site } from '../support/site.js';
import { Worker } from '../support/worker.js';

const PARTITIONS = 4;
const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

interface Done {
  readonly key: string;
  readonly n: number;
  readonly pid: number;
}

/** What was committed in each partition, in its order. */
async function committed(site: Site): Promise<Done[][]> {
  const indexes = Array.from({ length: PARTITIONS }, (_, index) => index);
  const feeds = await Promise.all(
    indexes.map((index) => site.store.readFeed({ context: site.context, index }, 0, 100_000)),
  );
  return feeds.map((entries) => entries.map(({ fields }) => JSON.parse(fields[1]!) as Done));
}

async function open(site: Site): Promise<number> {
  let sum = 0;
  for (let index = 0; index < PARTITIONS; index++) sum += await site.open(index);
  return sum;
}

const write = (site: Site, key: string, n: number, slowMs: number) =>
  site.write(
    ['type', 'work.do', 'data', JSON.stringify({ n, key, slowMs }), 'partitionkey', key],
    partitionOf(key, PARTITIONS),
  );

/** Replicas that come and go, one act after the other. */
class Replicas {
  private readonly running: Worker[] = [];
  private readonly frozen: Worker[] = [];

  constructor(
    private readonly site: Site,
    private readonly settings: object,
  ) {}

  async act(act: string): Promise<void> {
    const oldest = this.running[0];
    if (act === 'join' || !oldest) {
      const worker = Worker.start(this.site, this.settings);
      this.running.push(worker);
      await worker.said('ready');
    } else if (act === 'leave') {
      this.running.shift();
      oldest.signal('SIGTERM');
      expect(await oldest.ended).toBe(0);
    } else if (act === 'die') {
      this.running.shift();
      oldest.signal('SIGKILL');
    } else if (act === 'freeze') {
      this.frozen.push(oldest);
      this.running.shift();
      oldest.signal('SIGSTOP');
    } else if (act === 'thaw') {
      const worker = this.frozen.shift();
      if (!worker) return;
      worker.signal('SIGCONT');
      this.running.push(worker);
    }
  }

  async all(act: string): Promise<void> {
    while (act === 'thaw' ? this.frozen.length > 0 : this.running.length > 0) await this.act(act);
  }
}

describe('replicas that join, leave, are killed and are frozen under load', () => {
  it(`keep the order of every key, lose nothing and commit nothing twice (SEED=${SEED})`, async () => {
    const site = await redisSite({ partitions: PARTITIONS });
    const replicas = new Replicas(site, { leaseTtlMs: 900, concurrency: 4 });
    const acts = fc.sample(fc.constantFrom('join', 'join', 'leave', 'die', 'freeze', 'thaw'), {
      seed: SEED,
      numRuns: 14,
    });
    const keys = Array.from({ length: 12 }, (_, i) => `key-${i}`);
    // There is always more to do than one replica has in hand, so that a zombie wakes up to messages that others have begun.
    let writing = true;
    let count = 0;
    const writer = (async () => {
      while (writing) {
        await sleep(60);
        if ((await open(site)) > 300) continue;
        await Promise.all(keys.map((key, i) => write(site, key, count, (i * 7 + count * 3) % 60)));
        count++;
      }
    })();
    for (const act of ['join', 'join', ...acts]) {
      await replicas.act(act);
      await sleep(300);
    }
    writing = false;
    await writer;
    await replicas.all('thaw');
    await replicas.act('join');
    await eventually(async () => expect(await open(site)).toBe(0), 30_000);
    await replicas.all('leave');

    const feeds = await committed(site);
    const perKey = new Map<string, number[]>();
    for (const { key, n } of feeds.flat()) perKey.set(key, [...(perKey.get(key) ?? []), n]);
    const inOrder = Array.from({ length: count }, (_, n) => n);
    for (const key of keys) expect([key, perKey.get(key)]).toEqual([key, inOrder]);
    for (let index = 0; index < PARTITIONS; index++) expect(await site.deadLetters(index)).toEqual([]);
    expect(new Set(feeds.flat().map(({ pid }) => pid)).size).toBeGreaterThan(1);
  }, 90_000);
});

describe('a replica that is killed', () => {
  it('leaves its partitions to the others long before its leases have expired', async () => {
    const site = await redisSite({ partitions: PARTITIONS });
    const settings = { leaseTtlMs: 30_000 };
    const workers = [1, 2, 3].map(() => Worker.start(site, settings));
    for (const worker of workers) await worker.said('ready');
    for (let n = 0; ; n++) {
      for (let i = 0; i < 40; i++) await write(site, `k${i}`, n, 0);
      await eventually(async () => expect(await open(site)).toBe(0));
      // Shared out when all three had some of one round.
      const last = (await committed(site)).flat().filter((done) => done.n === n);
      if (new Set(last.map(({ pid }) => pid)).size === 3) break;
    }
    workers[0]!.signal('SIGKILL');
    const killed = performance.now();
    for (let i = 0; i < 40; i++) await write(site, `k${i}`, 1_000, 0);
    await eventually(async () => expect(await open(site)).toBe(0), 20_000);
    expect(performance.now() - killed).toBeLessThan(8_000);
    const after = (await committed(site)).flat().filter((done) => done.n === 1_000);
    expect(after).toHaveLength(40);
    expect(new Set(after.map(({ pid }) => pid))).toEqual(new Set([workers[1]!.pid, workers[2]!.pid]));
  }, 60_000);
});
