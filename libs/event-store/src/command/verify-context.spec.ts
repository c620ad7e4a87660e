import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Broker, InMemoryPartitionStore } from '@millrace/broker';
import type { StreamSlice } from '@millrace/broker';
import { Event } from '@millrace/messages';
import type { VerifyProgress } from '../core/chain/verify-streams.js';
import { EventStore } from '../core/event-store.js';
import { verifyContext } from './verify-context.js';
import type { ContextVerification, VerifiedStore } from './verify-context.js';

@Event('vault.filled')
class Filled {
  constructor(readonly n: number) {}
}

/** A context with two chained streams and one that is not, in a store that can be made to answer something else. */
async function vault() {
  const store = new InMemoryPartitionStore();
  const broker = new Broker(store, { context: 'vault', partitions: 1 });
  await broker.declare();
  const events = new EventStore(broker, [Filled], { chain: { safe: true } });
  for (let n = 1; n <= 3; n++) {
    for (const stream of ['safe-1', 'safe-2', 'box-1']) await events.append(stream, [new Filled(n)]);
  }
  let tamper: (slice: StreamSlice) => StreamSlice = (slice) => slice;
  const reads: VerifiedStore = {
    findContext: (context) => store.findContext(context),
    head: (partition) => store.head(partition),
    listIndexes: (...args) => store.listIndexes(...args),
    readStream: async (partition, stream, page) => {
      const slice = await store.readStream(partition, stream, page);
      return stream === 'safe-2' ? tamper(slice) : slice;
    },
  };
  const verify = async (wanted: Partial<ContextVerification> = {}) => {
    const lines: string[] = [];
    const progress: VerifyProgress[] = [];
    const broken = await verifyContext(reads, {
      context: 'vault',
      say: (line) => lines.push(line),
      onProgress: (each) => progress.push(each),
      ...wanted,
    });
    return { broken, lines, progress };
  };
  return { events, verify, tamperWith: (change: typeof tamper) => void (tamper = change) };
}

const cutTo =
  (version: number) =>
  ({ entries }: StreamSlice): StreamSlice => ({ version, entries: entries.filter((each) => each.version <= version) });

const rewriteSecond = (slice: StreamSlice): StreamSlice => ({
  ...slice,
  entries: slice.entries.map((entry) =>
    entry.version === 2 ? { ...entry, fields: ['event', entry.fields[1]!.replace('"n":2', '"n":7')] } : entry,
  ),
});

describe('the verification of a context', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-verify-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('counts what is whole, and names what is broken', async () => {
    const { verify, tamperWith } = await vault();
    const { broken, lines, progress } = await verify();
    expect([broken, lines]).toEqual([0, ['vault: 2 streams intact, 1 unchained, 0 broken']]);
    expect(progress.at(-1)).toEqual({ streams: 3, events: 9, total: 9 });
    tamperWith(rewriteSecond);
    const found = await verify();
    expect(found.broken).toBe(1);
    expect(found.lines).toEqual([
      expect.stringMatching(/^stream safe-2 in vault\/0: broken at version 2, whose chain value is \S+ instead of/),
      'vault: 1 streams intact, 1 unchained, 1 broken',
    ]);
  });

  it('is of a category, of one stream, or of its end', async () => {
    const { verify, tamperWith } = await vault();
    tamperWith(rewriteSecond);
    expect((await verify({ category: 'box' })).lines).toEqual(['vault: 0 streams intact, 1 unchained, 0 broken']);
    expect(await verify({ stream: 'safe-2' })).toMatchObject({ broken: 1 });
    expect(await verify({ stream: 'safe-2', key: '2', from: 3 })).toMatchObject({ broken: 0 });
  });

  it('finds what is gone at the end by heads that were saved, and keeps these', async () => {
    const { verify, tamperWith, events } = await vault();
    const heads = join(folder, 'heads.ndjson');
    expect(await verify({ saveHeads: heads })).toMatchObject({ broken: 0 });
    const saved = await readFile(heads, 'utf8');
    const kept = saved.trim().split('\n');
    expect(kept.map((line) => JSON.parse(line) as object)).toEqual([
      expect.objectContaining({ stream: 'safe-1', partition: 0, version: 3 }),
      expect.objectContaining({ stream: 'safe-2', partition: 0, version: 3 }),
    ]);
    await events.append('safe-1', [new Filled(4)]);
    expect(await verify({ heads })).toMatchObject({ broken: 0 });
    tamperWith(cutTo(1));
    expect(await verify()).toMatchObject({ broken: 0 });
    expect((await verify({ heads, saveHeads: heads })).lines).toEqual([
      expect.stringMatching(/^stream safe-2 in vault\/0: broken at version 2, which is gone: the stream has 1 events/),
      'vault: 1 streams intact, 1 unchained, 1 broken',
      `no heads were saved: ${heads} keeps those from before`,
    ]);
    expect(await readFile(heads, 'utf8')).toBe(saved);
    expect(await readdir(folder)).toEqual(['heads.ndjson']);
    tamperWith(cutTo(0));
    expect(await verify({ heads })).toMatchObject({ broken: 1 });
    expect(await verify({ heads, stream: 'safe-1' })).toMatchObject({ broken: 0 });
  });

  it.each([
    ['{"stream":"safe-1","partition":7,"version":1,"chain":"x"}', "context 'vault' has no partition 7"],
    ['{"stream":"safe-1"}', 'line 1 is no head of a stream: give a file that --save-heads has written'],
    ['no JSON', 'line 1 is no head of a stream'],
  ])('takes no file of heads that is none: %s', async (line, message) => {
    const { verify } = await vault();
    const heads = join(folder, 'odd.ndjson');
    await writeFile(heads, `${line}\n`);
    await expect(verify({ heads, saveHeads: join(folder, 'new') })).rejects.toThrow(message);
    expect(await readdir(folder)).toEqual(['odd.ndjson']);
    await expect(verify({ heads: join(folder, 'none') })).rejects.toThrow('no such file');
  });

  it('is of a context that there is', async () => {
    const { verify } = await vault();
    await expect(verify({ context: 'attic' })).rejects.toThrow("there is no context 'attic' in this namespace");
  });
});
