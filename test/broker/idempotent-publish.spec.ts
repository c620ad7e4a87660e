import { Broker, ConfigurationError, InMemoryPartitionStore, Publisher } from '@millrace/broker';
import type { PublishOptions } from '@millrace/broker';
import { Command, Event } from '@millrace/messages';
import { eventually } from '../support/redis.js';
import { SITES } from '../support/site.js';
import type { Site } from '../support/site.js';

@Event('work.done')
class Done {
  constructor(readonly n: number) {}
}

@Command('other.begin')
class Begin {
  constructor(readonly n: number) {}
}

async function published(site: Site): Promise<number[]> {
  const numbers: number[] = [];
  for (let index = 0; index < site.partitions; index++) {
    for (const { fields } of await site.store.readFeed({ context: site.context, index }, 0, 1_000)) {
      numbers.push((JSON.parse(fields[1]!) as { data: Done }).data.n);
    }
  }
  return numbers.sort((a, b) => a - b);
}

async function sent(site: Site): Promise<number[]> {
  const reader = site.store.openReader();
  const sources = Array.from({ length: 4 }, (_, index) => ({
    partition: { context: 'other', index },
    log: 'in' as const,
  }));
  const entries = await reader.readGroup('observer', sources, 1_000, 0);
  await reader.close();
  return entries.map(({ fields }) => (JSON.parse(fields[1]!) as { data: Begin }).data.n);
}

describe.each(SITES)('publishing with an id on %s', (_name, open) => {
  it('writes the message once, and says so', async () => {
    const site = await open({ partitions: 4 });
    for (const key of [undefined, 'k']) {
      const options: PublishOptions = { id: `id-${key}`, ...(key === undefined ? {} : { key }) };
      expect(await site.publisher.publish(new Done(1), options)).toEqual({ id: options.id, duplicate: false });
      expect(await site.publisher.publish(new Done(2), options)).toEqual({ id: options.id, duplicate: true });
      expect(await site.publisher.send(new Begin(1), { ...options, id: `c-${key}` })).toMatchObject({
        duplicate: false,
      });
      expect(await site.publisher.send(new Begin(2), { ...options, id: `c-${key}` })).toMatchObject({
        duplicate: true,
      });
    }
    expect(await published(site)).toEqual([1, 1]);
    expect(await sent(site)).toEqual([1, 1]);
  });

  it('writes one of many that are published at once', async () => {
    const site = await open({ partitions: 4 });
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, n) => site.publisher.publish(new Done(n), { id: 'same' })),
    );
    expect(results.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    expect(await published(site)).toHaveLength(1);
  });

  it('without one writes each message', async () => {
    const site = await open();
    const first = await site.publisher.publish(new Done(1));
    const second = await site.publisher.publish(new Done(1));
    expect([first.duplicate, second.duplicate]).toEqual([false, false]);
    expect(first.id).not.toBe(second.id);
    expect(await published(site)).toEqual([1, 1]);
  });

  it('writes it again when the window is over', async () => {
    const site = await open();
    const publish = () => site.publisher.publish(new Done(1), { id: 'again', dedupeWindowMs: 50 });
    await publish();
    await eventually(async () => expect(await publish()).toEqual({ id: 'again', duplicate: false }));
    expect(await published(site)).toEqual([1, 1]);
  });

  it('keeps to the window of the service unless a call says otherwise', async () => {
    const site = await open();
    const broker = new Broker(site.store, { context: site.context, partitions: 1, dedupeWindowMs: 50 });
    const publisher = new Publisher(broker);
    await publisher.publish(new Done(1), { id: 'short' });
    await publisher.publish(new Done(2), { id: 'long', dedupeWindowMs: 60_000 });
    await eventually(async () =>
      expect(await publisher.publish(new Done(1), { id: 'short' })).toMatchObject({ duplicate: false }),
    );
    expect(await publisher.publish(new Done(2), { id: 'long' })).toMatchObject({ duplicate: true });
  });

  it('inside handlers leaves out the duplicate, and keeps what else they decide', async () => {
    const site = await open({ partitions: 4 });
    const answers: unknown[] = [];
    const { publisher } = site;
    await site.start({
      'work.do': async ({ n }: { n: number }) => {
        answers.push((await publisher.publish(new Done(-1), { id: 'one-for-all', key: 'k' })).duplicate);
        await publisher.publish(new Done(n));
        answers.push((await publisher.send(new Begin(-1), { id: 'one-command' })).duplicate);
      },
    });
    for (let n = 0; n < 8; n++) await site.say('work.do', { n });
    await eventually(async () => expect(await published(site)).toHaveLength(9));
    expect(await published(site)).toEqual([-1, 0, 1, 2, 3, 4, 5, 6, 7]);
    expect(await sent(site)).toEqual([-1]);
    expect(answers.filter((duplicate) => duplicate).length).toBeGreaterThanOrEqual(14);
    expect(await site.deadLetters()).toEqual([]);
  });

  it('twice inside one handler writes it once', async () => {
    const site = await open();
    const answers: boolean[] = [];
    await site.start({
      'work.do': async () => {
        for (let n = 1; n <= 2; n++) {
          answers.push((await site.publisher.publish(new Done(n), { id: 'twice' })).duplicate);
        }
      },
    });
    await site.say('work.do', {});
    await eventually(async () => expect(await published(site)).toEqual([1]));
    expect(answers).toEqual([false, true]);
  });
});

describe('a dedupe window', () => {
  it.each([0, -1, 1.5, NaN])('of %p ms is refused', async (dedupeWindowMs) => {
    const store = new InMemoryPartitionStore();
    expect(() => new Broker(store, { context: 'work', dedupeWindowMs })).toThrow(ConfigurationError);
    const publisher = new Publisher(new Broker(store, { context: 'work' }));
    await expect(publisher.publish(new Done(1), { id: 'x', dedupeWindowMs })).rejects.toThrow(/dedupeWindowMs/);
  });
});
