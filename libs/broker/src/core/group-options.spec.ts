import { Broker } from './broker.js';
import { ConfigurationError } from './errors.js';
import { resolveGroup } from './group-options.js';
import type { GroupOptions } from './group-options.js';
import { Subscriptions } from './handler.js';
import { Subscriber } from './subscriber.js';
import type { SubscriberSettings } from './subscriber-settings.js';
import { InMemoryPartitionStore } from '../in-memory/in-memory-partition-store.js';

function subscriptions(...handlers: { name: string; group?: string; options?: GroupOptions }[]): Subscriptions {
  const all = new Subscriptions('order');
  for (const handler of handlers) {
    all.add({ ...handler, type: `order.${handler.name}`, context: 'order', log: 'feed', handle: () => undefined });
  }
  return all;
}

async function start(all: Subscriptions, settings: SubscriberSettings = {}): Promise<void> {
  const broker = new Broker(new InMemoryPartitionStore(), { context: 'order', partitions: 1 });
  const subscriber = new Subscriber(broker, all, settings);
  try {
    await subscriber.start();
  } finally {
    await subscriber.stop();
  }
}

describe('the options of a group', () => {
  it('come from the last place that gives them, one by one', () => {
    const defaults = { concurrency: 16, prefetch: 100, retry: { attempts: 3, delayMs: 5 } };
    const byName = { prefetch: 50, ordering: 'none' as const, retry: { attempts: 7 } };
    const settings = resolveGroup('mailer', defaults, byName, { concurrency: 4 });
    expect(settings).toMatchObject({ concurrency: 4, prefetch: 50, ordering: 'none', onFailure: 'continue' });
    expect(settings.retry).toMatchObject({ attempts: 7, delayMs: 5, factor: 2 });
  });

  it('keep their default where a place gives undefined, and take nothing else from there', () => {
    const options = { concurrency: undefined, context: 'order' } as object;
    expect(resolveGroup('mailer', options)).toEqual(resolveGroup('mailer'));
  });

  it.each([
    [{ concurrency: 0 }, "group 'mailer' has concurrency: 0; it must be an integer of at least 1"],
    [{ prefetchBytes: 1.5 }, "group 'mailer' has prefetchBytes: 1.5; it must be an integer of at least 1"],
    [{ ordering: 'some' }, "group 'mailer' has ordering: 'some'; it must be one of 'key', 'partition', 'none'"],
    [
      { rate: { limit: 5 } },
      "group 'mailer' has rate: { limit: 5 }; it must be { limit, perMs }, integers of at least 1",
    ],
    [{ retry: { delayMs: -1 } }, "group 'mailer' has retry.delayMs: -1; it must be a number of at least 0"],
  ])('refuse %j', (options, message) => {
    const resolve = () => resolveGroup('mailer', options as GroupOptions);
    expect(resolve).toThrow(ConfigurationError);
    expect(resolve).toThrow(message);
  });
});

describe('a service', () => {
  it('starts with handlers of one group that say the same, or nothing', async () => {
    const rate = { limit: 5, perMs: 1_000 };
    const mailer = (name: string, options?: GroupOptions) => ({ name, group: 'mailer', ...(options && { options }) });
    await start(subscriptions(mailer('a', { rate }), mailer('b', { rate: { ...rate }, prefetch: 9 }), mailer('c')));
  });

  it('does not start with two handlers of one group that differ in an option', async () => {
    const all = subscriptions(
      { name: 'Mails.a', group: 'mailer', options: { concurrency: 4 } },
      { name: 'Mails.b', group: 'mailer' },
      { name: 'Mails.c', group: 'mailer', options: { concurrency: 5 } },
    );
    await expect(start(all)).rejects.toThrow(ConfigurationError);
    await expect(start(all)).rejects.toThrow("group 'mailer' has concurrency: 4 at Mails.a and 5 at Mails.c");
  });

  it('does not start with options for a group that no handler has', async () => {
    const all = subscriptions({ name: 'a' }, { name: 'b', group: 'mailer' });
    await start(all, { groups: { order: { concurrency: 2 }, mailer: { concurrency: 3 } } });
    const started = start(all, { groups: { mail: { concurrency: 2 } } });
    await expect(started).rejects.toThrow(ConfigurationError);
    await expect(started).rejects.toThrow(
      "groups: { 'mail' } gives options to a group that no handler has: write one of 'order', 'mailer'",
    );
  });
});
