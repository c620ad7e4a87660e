import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportContext, importContext, placeOf } from '@millrace/broker';
import type { Partition, PartitionStore } from '@millrace/broker';
import { admin } from '../support/private-redis.js';
import { builtCommand, commandOf } from '../support/program-of.js';
import { freshNamespace, onTestFinished, redisUrl } from '../support/redis.js';
import { redisStore } from '../support/store.js';

const at = (index: number): Partition => ({ context: 'order', index });

/** Events as they are stored: with awkward texts, of streams, of categories, with tags and without. */
async function fill(store: PartitionStore, events: number): Promise<void> {
  await store.declareContext('order', 2);
  for (let n = 0; n < events; n += 10) {
    await store.commit({
      partition: at(n % 20 === 0 ? 0 : 1),
      guards: [],
      writes: [
        {
          kind: 'append',
          stream: `order-${n % 70}`,
          category: 'order',
          events: Array.from({ length: 8 }, (_, i) =>
            JSON.stringify({ id: `${n + i}`, type: 'order.placed', data: {} }),
          ),
          tags: [['vip', `customer:${n % 30}`], ['vip']],
        },
        { kind: 'append', events: ['{"a": 1.0,\u2028 "ü":"\\ud800"}', `no JSON ${n}`] },
      ],
    });
  }
}

async function exported(store: PartitionStore, context = 'order'): Promise<string[]> {
  const blocks: string[] = [];
  for await (const block of exportContext(store, context)) blocks.push(block);
  return blocks;
}

async function* chunks(text: string | Buffer, size = 1_000): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

async function contentOf(store: PartitionStore, index: number) {
  return {
    feed: await store.readFeed(at(index), 0, 100_000),
    stream: await store.readStream(at(index), 'order-0'),
    vip: await store.readTagged(at(index), 'vip', { limit: 10_000 }),
    category: await store.readCategory(at(index), 'order', { limit: 10_000 }),
  };
}

describe('the export of a context', () => {
  it('is the same bytes after a round trip, and the same events', async () => {
    const [source, target] = [await redisStore(), await redisStore()];
    await fill(source, 3_000);
    const text = (await exported(source)).join('');
    const imported = await importContext(target, chunks(text));
    expect(imported).toEqual({ context: 'order', partitions: 2, events: 3_000, present: 0 });
    expect((await exported(target)).join('')).toBe(text);
    for (const index of [0, 1]) expect(await contentOf(target, index)).toEqual(await contentOf(source, index));
    expect(text.split('\n')[1]).toBe('{"partition":0,"position":1,"event":{"id":"0","type":"order.placed","data":{}}}');
  });

  it('has the events there were when it was begun, and keeps removed positions empty', async () => {
    const namespace = freshNamespace();
    const [source, target] = [await redisStore(namespace), await redisStore()];
    await fill(source, 2_000);
    const feed = `{${namespace}:order:0}:feed`;
    const redis = admin(redisUrl());
    await redis.connect();
    await redis.xdel(feed, '0-1', '0-2', '0-700');
    const before = (await exported(source)).join('');
    const blocks: string[] = [];
    for await (const block of exportContext(source, 'order')) {
      if (blocks.length === 0) await fill(source, 500);
      blocks.push(block);
    }
    expect(blocks.join('')).toBe(before);
    await importContext(target, chunks(before));
    expect((await target.readFeed(at(0), 0, 1_000)).map(({ id }) => id)).not.toContain('0-700');
    expect((await exported(target)).join('')).toBe(before);
  });

  it('goes on where it broke off, with the same bytes', async () => {
    const store = await redisStore();
    await fill(store, 4_000);
    const blocks = await exported(store);
    expect(blocks.length).toBeGreaterThan(6);
    const whole = blocks.join('');
    for (const length of [10, blocks[0]!.length + 5, whole.length / 2, blocks.slice(0, -1).join('').length + 5]) {
      const part = Buffer.from(whole).subarray(0, length);
      const from = await placeOf(chunks(part));
      let text = part.subarray(0, from?.bytes ?? 0).toString();
      for await (const block of exportContext(store, 'order', from ? { from } : {})) text += block;
      expect(text === whole).toBe(true);
    }
    expect(await placeOf(chunks(whole))).toMatchObject({ complete: true });
  });

  it('comes in blocks of the same size for any number of events', async () => {
    const store = await redisStore();
    await fill(store, 60_000);
    let most = 0;
    let bytes = 0;
    for await (const block of exportContext(store, 'order')) {
      most = Math.max(most, block.length);
      bytes += block.length;
    }
    expect(bytes).toBeGreaterThan(4_000_000);
    expect(most).toBeLessThan(500_000);
  }, 60_000);

  it('refuses a context that is not there', async () => {
    const store = await redisStore();
    await expect(exported(store, 'nowhere')).rejects.toThrow("there is no context 'nowhere'");
    expect(await store.findContext('nowhere')).toBeUndefined();
  });
});

describe('the import of a context', () => {
  let text: string;
  let lines: string[];
  beforeAll(async () => {
    const store = await redisStore();
    await fill(store, 3_000);
    text = (await exported(store)).join('');
    lines = text.split('\n');
  });

  const refused = async (broken: string, store?: PartitionStore) => {
    const target = store ?? (await redisStore());
    const failure = await importContext(target, chunks(broken)).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code: 'export' });
    return { target, message: (failure as Error).message };
  };

  it('writes nothing of a damaged block, and goes on when it is repaired', async () => {
    const flipped = lines.map((line, i) => (i > 700 && i < 710 ? line.replace('order.placed', 'order.plaved') : line));
    expect(flipped).not.toEqual(lines);
    const { target, message } = await refused(flipped.join('\n'));
    expect(message).toBe('line 1002: lines 502 to 1001 are not what was exported: their checksum is wrong');
    expect(await target.head(at(0))).toBe(499);
    const imported = await importContext(target, chunks(text));
    expect(imported).toMatchObject({ events: 2_501, present: 499 });
    expect((await exported(target)).join('')).toBe(text);
  });

  it.each<[string, (lines: string[]) => string[], RegExp]>([
    ['a line that is no JSON', (all) => all.with(700, all[700]!.slice(0, 20)), /^line 701: this is no JSON/],
    [
      'a line that is something else',
      (all) => all.with(700, '{"partition":0}'),
      /^line 701: this is no line of an export/,
    ],
    ['a missing line', (all) => all.toSpliced(700, 1), /^line 1001: lines 502 to 1000 are not what was exported/],
    ['a missing block', (all) => all.toSpliced(501, 501), /checksum is wrong/],
    [
      'no checksums',
      (all) => all.filter((line) => !line.startsWith('{"sha256"')),
      /^line 501: the checksum is missing/,
    ],
    ['an end that is missing', (all) => all.slice(0, 1_300), /^the export breaks off/],
    [
      'another format',
      (all) => all.with(0, all[0]!.replace('"format":1', '"format":2')),
      /an export of format 2, not 1/,
    ],
    ['no export', () => ['{"hello":1}', ''], /^line 1: this is no line of an export/],
    ['nothing', () => [], /not one whole block/],
  ])('refuses an export with %s', async (_what, damage, expected) => {
    expect((await refused(damage([...lines]).join('\n'))).message).toMatch(expected);
  });

  it('goes on after it broke off anywhere, also within a block', async () => {
    const target = await redisStore();
    for (const length of [0.2, 0.5, 0.8].map((part) => Math.floor(part * text.length))) {
      await refused(text.slice(0, length), target);
    }
    await importContext(target, chunks(text));
    expect(await importContext(target, chunks(text))).toMatchObject({ events: 0, present: 3_000 });
    expect((await exported(target)).join('')).toBe(text);
  });

  it('refuses a context that has other events, or more, or another number of partitions', async () => {
    const other = await redisStore();
    await other.declareContext('order', 2);
    await other.commit({ partition: at(0), guards: [], writes: [{ kind: 'append', events: ['mine'] }] });
    expect((await refused(text, other)).message).toMatch(
      /^order\/0 holds events that are not .* \(position 1 is another/,
    );
    expect(await other.head(at(0))).toBe(1);

    const longer = await redisStore();
    await importContext(longer, chunks(text));
    await longer.commit({ partition: at(1), guards: [], writes: [{ kind: 'append', events: ['more'] }] });
    expect((await refused(text, longer)).message).toMatch(
      /order\/1 holds events .* \(it has 1501 positions, the export 1500\)/,
    );

    const wider = await redisStore();
    await wider.declareContext('order', 3);
    expect((await refused(text, wider)).message).toMatch(/'order' has 3 partitions here, the export 2/);
    expect(await wider.head(at(0))).toBe(0);
  });

  it('notices who else writes', async () => {
    const target = await redisStore();
    let written = false;
    async function* disturbed(): AsyncGenerator<Buffer> {
      for await (const chunk of chunks(text)) {
        if (!written && (await target.head(at(0))) > 0) {
          await target.commit({ partition: at(0), guards: [], writes: [{ kind: 'append', events: ['x'] }] });
          written = true;
        }
        yield chunk;
      }
    }
    await expect(importContext(target, disturbed())).rejects.toThrow(
      'order/0 no longer ends at 499: somebody else writes',
    );
  });
});

describe('millrace export and import', () => {
  const start = (program: string, words: readonly string[]) =>
    spawnSync(process.execPath, [program, ...words], { encoding: 'utf8', timeout: 20_000 });
  const command = (...words: string[]) => start(commandOf('broker', 'millrace'), words);
  const folder = async () => {
    const path = await mkdtemp(join(tmpdir(), 'millrace-export-'));
    onTestFinished(() => rm(path, { recursive: true }));
    return path;
  };

  it('moves a context through a file, and goes on with a file that broke off', async () => {
    const [from, to] = [freshNamespace(), freshNamespace()];
    await fill(await redisStore(from), 2_000);
    const file = join(await folder(), 'order.ndjson');
    const where = (namespace: string) => ['--redis', redisUrl(), '--namespace', namespace];
    const exportAll = ['export', '--context', 'order', ...where(from)];
    const { stdout, status } = start(builtCommand('broker', 'millrace'), exportAll);
    expect(status).toBe(0);
    await writeFile(file, stdout.slice(0, 100_000));
    expect(command('export', '--context', 'order', '--file', file, ...where(from))).toMatchObject({ status: 0 });
    expect((await readFile(file, 'utf8')) === stdout).toBe(true);
    expect(command('export', '--context', 'order', '--file', file, ...where(from)).stderr).toContain(
      'whole export already',
    );
    expect(command('import', '--file', file, ...where(to)).stderr).toBe(
      "context 'order': 2000 events written to 2 partitions\n",
    );
    expect((await exported(await redisStore(to))).join('') === stdout).toBe(true);
    expect(command('import', '--file', join(file, '..', 'none'), ...where(to)).status).toBe(1);
  }, 60_000);
});
