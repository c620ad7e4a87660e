import type { Entry, Reader } from '@millrace/broker';
import { FeedPages } from './feed-pages.js';
import type { FeedPage, FeedPlace } from './feed-pages.js';

const partition = { context: 'shop', index: 0 };
const at = (position: number): FeedPlace[] => [{ partition, position }];
const places = (page: FeedPage, index = 0) => {
  const entries: readonly Entry[] = page.get(index)?.entries ?? [];
  return [entries.length, entries[0]?.id, entries.at(-1)?.id];
};

/** A feed of so many events, which remembers where it was read from and for how long it may wait. */
function feedOf(events: number) {
  const reads: { readonly position: number; readonly blockMs: number }[] = [];
  const readFeeds: Reader['readFeeds'] = async ([place], limit, blockMs) => {
    const { position } = place!;
    reads.push({ position, blockMs });
    const count = Math.min(limit, Math.max(0, events - position));
    const source = { partition, log: 'feed' } as const;
    return Array.from({ length: count }, (_, i) => ({ source, id: `0-${position + 1 + i}`, fields: ['event', '{}'] }));
  };
  return { reads, reader: { readFeeds } };
}

describe('the pages of a feed', () => {
  it('are read one ahead, without waiting, as long as they are full', async () => {
    const { reads, reader } = feedOf(700);
    const pages = new FeedPages();
    expect(places(await pages.read(reader, at(0), 5000))).toEqual([500, '0-1', '0-500']);
    expect(reads).toEqual([
      { position: 0, blockMs: 5000 },
      { position: 500, blockMs: 0 },
    ]);
    expect(places(await pages.read(reader, at(500), 5000))).toEqual([200, '0-501', '0-700']);
    expect(reads).toHaveLength(2);
  });

  it('are waited for when there was none ahead', async () => {
    const { reads, reader } = feedOf(500);
    const pages = new FeedPages();
    await pages.read(reader, at(0), 5000);
    expect((await pages.read(reader, at(500), 5000)).size).toBe(0);
    expect(reads.at(-1)).toEqual({ position: 500, blockMs: 5000 });
  });

  it('are read again from where the projection stands, when that is elsewhere', async () => {
    const { reader } = feedOf(2000);
    const pages = new FeedPages();
    await pages.read(reader, at(0), 5000);
    expect(places(await pages.read(reader, at(3), 5000))).toEqual([500, '0-4', '0-503']);
    expect(places(await pages.read(reader, at(503), 5000))).toEqual([500, '0-504', '0-1003']);
  });

  it('fail when they are asked for, not while they are ahead', async () => {
    const { reader } = feedOf(2000);
    let failing = false;
    const readFeeds: Reader['readFeeds'] = (...asked) =>
      failing ? Promise.reject(new Error('connection lost')) : reader.readFeeds(...asked);
    const pages = new FeedPages();
    const page = pages.read({ readFeeds }, at(0), 5000);
    failing = true;
    expect(places(await page)).toEqual([500, '0-1', '0-500']);
    await expect(pages.read({ readFeeds }, at(500), 5000)).rejects.toThrow('connection lost');
    failing = false;
    expect(places(await pages.read({ readFeeds }, at(500), 5000))).toEqual([500, '0-501', '0-1000']);
  });

  it('say of each partition whether there may be more', async () => {
    const { reader } = feedOf(700);
    const pages = new FeedPages();
    expect((await pages.read(reader, at(0), 5000)).get(0)?.more).toBe(true);
    expect((await pages.read(reader, at(500), 5000)).get(0)?.more).toBe(false);
  });

  it('stay as small with many partitions, and are shared by those that have more', async () => {
    const lengths = [2000, 10, 2000, 10];
    const limits: number[] = [];
    const readFeeds: Reader['readFeeds'] = async (after, limit) => {
      limits.push(limit);
      return after.flatMap(({ partition: { context, index }, position }) => {
        const source = { partition: { context, index }, log: 'feed' } as const;
        const count = Math.min(limit, lengths[index]! - position);
        return Array.from({ length: count }, (_, i) => ({ source, id: `0-${position + 1 + i}`, fields: [] }));
      });
    };
    const pages = new FeedPages();
    const from = (...positions: number[]) =>
      positions.map((position, index) => ({ partition: { context: 'shop', index }, position }));
    const first = await pages.read({ readFeeds }, from(0, 0, 0, 0), 5000);
    expect(places(first)).toEqual([125, '0-1', '0-125']);
    expect(places(first, 1)).toEqual([10, '0-1', '0-10']);
    const second = await pages.read({ readFeeds }, from(125, 10, 125, 10), 5000);
    expect(places(second, 2)).toEqual([250, '0-126', '0-375']);
    expect([...second.keys()]).toEqual([0, 2]);
    expect(limits.slice(0, 2)).toEqual([125, 250]);
  });

  it('have as many events of each partition as was asked for', async () => {
    const { reader } = feedOf(2000);
    expect(places(await new FeedPages(700).read(reader, at(0), 5000))).toEqual([700, '0-1', '0-700']);
  });
});
