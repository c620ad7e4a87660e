import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FeedArchive, FileArchiveStore, withArchive } from '@millrace/broker';
import type { PartitionStore } from '@millrace/broker';
import { programOf } from '../support/program-of.js';
import { eventually, onTestFinished } from '../support/redis.js';
import { redisSite } from '../support/site.js';
import { Worker } from '../support/worker.js';

const ARCHIVER = programOf('archiver-process');
const EVENTS = 600;
const partition = { context: 'work', index: 0 };

async function contentOf(store: PartitionStore) {
  return {
    feed: await store.readFeed(partition, 0, 10_000),
    backwards: await store.readFeed(partition, Infinity, 10_000, true),
    stream: await store.readStream(partition, 's-1'),
    tagged: await store.readTagged(partition, 'tenth', { limit: 10_000 }),
  };
}

/** Positions of the segments that lines or file names tell of. */
function segmentsIn(texts: readonly string[]): readonly (readonly [from: number, to: number])[] {
  return texts
    .flatMap((text) => {
      const match = /(\d{16})-(\d{16})\.[0-9a-f]{64}\.ndjson\.gz$/.exec(text);
      return match ? [[Number(match[1]), Number(match[2])] as const] : [];
    })
    .toSorted(([a], [b]) => a - b);
}

describe('processes that are killed while they archive', () => {
  it('lose no event and keep none twice, and none leaves Redis before its segment was read back', async () => {
    const site = await redisSite();
    await site.broker.declare();
    for (let n = 0; n < EVENTS; n += 10) {
      const events = Array.from({ length: 10 }, (_, i) => `{"n":${n + i}}`);
      const append = { kind: 'append', events, stream: `s-${n % 3}`, tags: [['tenth']] } as const;
      await site.store.commit({ partition, guards: [], writes: [append] });
    }
    const folder = await mkdtemp(join(tmpdir(), 'millrace-archive-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const whole = await contentOf(site.store);
    const read = () => withArchive(site.store, new FeedArchive(new FileArchiveStore(folder)));
    const firstLeft = async () => Number((await site.store.readFeed(partition, 0, 1))[0]!.id.slice(2));
    const start = () => Worker.start(site, { folder } as object, undefined, ARCHIVER);
    // Nothing, when the first process was killed before it had written.
    const files = () => readdir(join(folder, 'work', '0')).catch(() => []);
    const workers: Worker[] = [];
    const said = (word: string) => workers.flatMap(({ lines }) => lines.filter((line) => line.startsWith(`${word} `)));

    const moments = ['put', 'kept', 'get', 'got', 'put'];
    for (const [round, moment] of moments.entries()) {
      const worker = start();
      workers.push(worker);
      const times = 1 + (round % 3);
      await eventually(
        () => expect(worker.lines.filter((line) => line.startsWith(`${moment} `)).length).toBeGreaterThanOrEqual(times),
        30_000,
      );
      worker.signal('SIGKILL');
      await worker.ended;

      const first = await firstLeft();
      expect(first).toBeLessThan(EVENTS - 5);
      const verified = new Set(segmentsIn(said('got')).flatMap(([from, to]) => [`from ${from}`, `to ${to}`]));
      for (const [from, to] of segmentsIn(await files())) {
        if (from >= first) continue;
        expect(verified).toContain(`from ${from}`);
        expect(verified).toContain(`to ${to}`);
      }
      expect(await contentOf(read())).toEqual(whole);
    }

    workers.push(start());
    await eventually(async () => expect(await firstLeft()).toBeGreaterThan(EVENTS - 25), 30_000);
    expect(await contentOf(read())).toEqual(whole);
    // One behind the other: nothing is in two of them.
    let last = 0;
    for (const [from, to] of segmentsIn(await files())) {
      expect(from).toBe(last + 1);
      last = to;
    }
    expect(last).toBeGreaterThanOrEqual((await firstLeft()) - 1);
  }, 120_000);
});
