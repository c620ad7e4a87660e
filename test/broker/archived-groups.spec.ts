import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Broker, FeedArchive, FileArchiveStore, Subscriber, Subscriptions, withArchive } from '@millrace/broker';
import type { Logger } from '@millrace/broker';
import { EventStore } from '@millrace/event-store';
import { Event } from '@millrace/messages';
import { IsInt, IsString } from 'class-validator';
import { eventually, onTestFinished } from '../support/redis.js';
import { SITES } from '../support/site.js';
import type { Site, SiteOptions } from '../support/site.js';

@Event('work.counted', { key: 'id' })
class Counted {
  @IsString() id: string;
  @IsInt() n: number;

  constructor(id: string, n: number) {
    this.id = id;
    this.n = n;
  }
}

/** A feed of ten events whose first six are in an archive, and a service that consumes it. */
async function feedWithArchive(site: Site) {
  const path = await mkdtemp(join(tmpdir(), 'millrace-archive-'));
  onTestFinished(() => rm(path, { recursive: true }));
  const archive = new FeedArchive(new FileArchiveStore(path));
  const partition = { context: site.context, index: 0 };
  const feed = { partition, log: 'feed' } as const;
  const events = new EventStore(site.broker, [Counted]);
  await events.append(
    'counter-a',
    Array.from({ length: 10 }, (_, i) => new Counted('a', i + 1)),
  );
  await archive.keep(await site.store.readLog(feed, '0', 6), partition);
  await site.store.trim(feed, { streams: true, upTo: '0-6', limit: 100 });
  const broker = new Broker(withArchive(site.store, archive), { context: site.context, partitions: 1 });

  const consume = async (group: string, last: number) => {
    const said: string[] = [];
    const handled: number[] = [];
    const logger: Logger = {
      debug: () => undefined,
      log: () => undefined,
      warn: (text) => said.push(text),
      error: (text) => said.push(text),
    };
    const subscriptions = new Subscriptions(site.context);
    subscriptions.add({
      name: 'Counting.counted',
      type: 'work.counted',
      contract: Counted,
      context: site.context,
      log: 'feed',
      group,
      handle: (event) => void handled.push((event as Counted).n),
    });
    const subscriber = new Subscriber(broker, subscriptions, { blockMs: 50 }, logger);
    onTestFinished(() => subscriber.stop());
    await subscriber.start();
    await eventually(() => expect(handled.at(-1)).toBe(last));
    await subscriber.stop();
    return { said, handled };
  };
  return { events, reading: new EventStore(broker, [Counted]), consume };
}

describe.each(SITES)(
  'a consumer group on a feed with an archive on %s',
  (_name, open: (options?: SiteOptions) => Promise<Site>) => {
    it('begins behind the archived events when it is new, and says so with a way out', async () => {
      const { consume } = await feedWithArchive(await open({ partitions: 1 }));
      const { said, handled } = await consume('mailer', 10);
      expect(handled).toEqual([7, 8, 9, 10]);
      expect(said).toEqual([
        expect.stringMatching(
          /^group 'work\.mailer' is new and begins behind archived events.*: 1 to 6 of work\/0\. .*projection.*readAll\(\)/,
        ),
      ]);
    });

    it('says nothing when it goes on', async () => {
      const { events, consume } = await feedWithArchive(await open({ partitions: 1 }));
      await consume('mailer', 10);
      await events.append('counter-a', [new Counted('a', 11)]);
      expect(await consume('mailer', 11)).toEqual({ said: [], handled: [11] });
    });

    it('finds what it has passed by in the whole feed, as the way out says', async () => {
      const { reading } = await feedWithArchive(await open({ partitions: 1 }));
      const numbers: number[] = [];
      for await (const { data } of reading.readAll()) numbers.push((data as Counted).n);
      expect(numbers).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    });
  },
);
