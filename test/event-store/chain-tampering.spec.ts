import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Broker, FeedArchive, FileArchiveStore, KeyBuilder, withArchive } from '@millrace/broker';
import { describeIntegrity, EventStore } from '@millrace/event-store';
import type { BrokenStream, IntactStream, StreamIntegrity } from '@millrace/event-store';
import { Event } from '@millrace/messages';
import { FeedEditor } from '../support/feed-editor.js';
import { admin } from '../support/private-redis.js';
import { freshNamespace, onTestFinished, redisUrl } from '../support/redis.js';
import { redisStore } from '../support/store.js';

@Event('bank.paid')
class Paid {
  constructor(readonly cents: number) {}
}

const partition = { context: 'bank', index: 0 };

/** Two streams of five events each, appended in turn, and an editor of what is stored. */
async function bank() {
  const namespace = freshNamespace();
  const store = await redisStore(namespace);
  const broker = new Broker(store, { context: 'bank', partitions: 1 });
  await broker.declare();
  const events = new EventStore(broker, [Paid], { chain: true });
  for (let n = 1; n <= 5; n++) {
    await events.append('account-1', [new Paid(n)]);
    await events.append('account-2', [new Paid(n)]);
  }
  const redis = admin(redisUrl());
  await redis.connect();
  const heads = { one: await headOf(events, 'account-1'), two: await headOf(events, 'account-2') };
  return { store, broker, events, heads, edit: new FeedEditor(redis, new KeyBuilder(namespace), partition) };
}

async function headOf(events: EventStore, stream: string): Promise<IntactStream['head']> {
  const verified = await events.verify(stream);
  if (verified.status !== 'intact') throw new Error(describeIntegrity(verified));
  return verified.head;
}

/** An event that looks like another one, with the chain value of that one. */
const alike = (text: string): string => text.replace('"cents":3', '"cents":9');

type Edit = (edit: FeedEditor, textOf: (version: number) => Promise<string>) => Promise<void>;

const EDITS: readonly [string, Edit, Partial<BrokenStream>][] = [
  ['a changed text', (edit) => edit.rewrite('account-1', 3, alike), { at: 3, reason: 'changed' }],
  [
    'a space more',
    (edit) => edit.rewrite('account-1', 3, (text) => text.replace(':', ': ')),
    { at: 3, reason: 'changed' },
  ],
  [
    'a changed time',
    (edit) => edit.rewrite('account-1', 5, (text) => text.replace(/"time":"\d/, '"time":"3')),
    { at: 5 },
  ],
  [
    'a changed chain value',
    (edit) => edit.rewrite('account-1', 2, (text) => text.replace(/"chain":"./, '"chain":"~')),
    { at: 2, reason: 'unchained' },
  ],
  [
    'an event without its chain value',
    (edit) => edit.rewrite('account-1', 3, (text) => text.replace(/,"chain":"[^"]*"/, '')),
    { at: 3, reason: 'unchained' },
  ],
  [
    'a first event without its chain value',
    (edit) => edit.rewrite('account-1', 1, (text) => text.replace(/,"chain":"[^"]*"/, '')),
    { at: 2, reason: 'changed' },
  ],
  ['an event that is gone from the feed', (edit) => edit.remove('account-1', 4), { at: 4, reason: 'missing' }],
  [
    'an event that is gone from the stream',
    (edit) => edit.unlist('account-1', 2),
    { at: 2, reason: 'changed', version: 4 },
  ],
  ['a first event that is gone from the stream', (edit) => edit.unlist('account-1', 1), { at: 1, reason: 'changed' }],
  ['two events that have changed places', (edit) => edit.swap('account-1', 2, 4), { at: 2, reason: 'changed' }],
  [
    'streams that have changed places',
    (edit) => edit.swapStreams('account-1', 'account-2'),
    { at: 1, reason: 'changed' },
  ],
  [
    'an event that is listed twice',
    async (edit, textOf) => edit.insert('account-1', await textOf(3), 4),
    { at: 4, reason: 'changed' },
  ],
  [
    'an inserted event',
    async (edit, textOf) => edit.insert('account-1', alike(await textOf(3)), 2),
    { at: 2, reason: 'changed' },
  ],
  [
    'an event by hand at the end',
    (edit) =>
      edit.insert('account-1', '{"specversion":"1.0","id":"x","source":"/x","type":"bank.paid","data":{"cents":1}}'),
    { at: 6, reason: 'unchained' },
  ],
];

describe('verify names', () => {
  it.each(EDITS)('%s', async (_what, tamper, expected) => {
    const { store, events, edit } = await bank();
    await tamper(edit, async (version) => {
      const { entries } = await store.readStream(partition, 'account-1', { after: version - 1, limit: 1 });
      return entries[0]!.fields[1]!;
    });
    const verified = await events.verify('account-1');
    expect(verified).toMatchObject({ status: 'broken', stream: 'account-1', partition, ...expected });
    expect(describeIntegrity(verified)).toContain(`stream account-1 in bank/0: broken at version ${expected.at}, `);
    const others: StreamIntegrity[] = [];
    for await (const each of events.verifyAll()) others.push(each);
    expect(others[0]).toEqual(verified);
  });

  it('what is gone at the end, when the head was kept elsewhere', async () => {
    const { events, edit, heads } = await bank();
    await edit.truncate('account-1', 3);
    expect(await events.verify('account-1')).toMatchObject({ status: 'intact', version: 3 });
    const verified = await events.verify('account-1', { head: heads.one });
    expect(verified).toMatchObject({ status: 'broken', reason: 'truncated', at: 4, version: 3 });
    expect(describeIntegrity(verified)).toContain('which is gone: the stream has 3 events');
  });

  it('a whole other history, when the head was kept elsewhere', async () => {
    const { events, edit, heads } = await bank();
    await edit.truncate('account-1', 3);
    for (const cents of [40, 50, 60]) await events.append('account-1', [new Paid(cents)]);
    expect(await events.verify('account-1')).toMatchObject({ status: 'intact', version: 6 });
    const verified = await events.verify('account-1', { head: heads.one });
    expect(verified).toMatchObject({ status: 'broken', reason: 'other', at: 5, expected: heads.one.chain });
  });

  it('nothing where a stream has grown since its head was kept', async () => {
    const { events, heads } = await bank();
    await events.append('account-1', [new Paid(6)]);
    expect(await events.verify('account-1', { head: heads.one })).toMatchObject({ status: 'intact', version: 6 });
    expect(await events.verify('account-2', { head: heads.two, from: 6 })).toMatchObject({ status: 'intact' });
    expect(await events.verify('account-1', { head: heads.two })).toMatchObject({ status: 'broken', reason: 'other' });
  });

  it('nothing that stands behind a known break, from there on', async () => {
    const { events, edit } = await bank();
    await edit.rewrite('account-1', 3, alike);
    expect(await events.verify('account-1', { from: 4 })).toMatchObject({ status: 'intact', from: 4, version: 5 });
    await edit.rewrite('account-1', 5, (text) => text.replace('"cents":5', '"cents":6'));
    expect(await events.verify('account-1', { from: 4 })).toMatchObject({ status: 'broken', at: 5 });
  });
});

describe('archived events', () => {
  it('are verified where they are, and missing where there is no archive', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-chain-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const { store, events } = await bank();
    const archive = new FeedArchive(new FileArchiveStore(folder));
    await archive.keep(await store.readFeed(partition, 0, 9), partition);
    await store.trim({ partition, log: 'feed' }, { streams: true, upTo: '0-9', limit: 100 });
    const reading = new EventStore(
      new Broker(withArchive(store, archive), { context: 'bank', partitions: 1 }),
      [Paid],
      { chain: true },
    );
    expect(await reading.verify('account-1')).toMatchObject({ status: 'intact', from: 1, version: 5 });
    await reading.append('account-1', [new Paid(6)]);
    expect(await reading.verify('account-1')).toMatchObject({ status: 'intact', version: 6 });
    expect(await events.verify('account-1')).toMatchObject({ status: 'broken', at: 1, reason: 'missing' });
  });

  it('cannot be gone on with where there is no archive', async () => {
    const { store, events } = await bank();
    await events.append('account-3', [new Paid(1)]);
    await store.trim({ partition, log: 'feed' }, { streams: true, upTo: '0-10', limit: 100 });
    await expect(events.append('account-1', [new Paid(6)])).rejects.toThrow('give this service the archive');
  });
});
