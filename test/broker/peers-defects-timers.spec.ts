import { RedisPartitionStore, Broker, Scheduler, Subscriber, Subscriptions, UnitOfWork } from '@millrace/broker';
import { Command, Event } from '@millrace/messages';
import { eventually, onTestFinished, redisUrl } from '../support/redis.js';
import { redisSite, SITES } from '../support/site.js';
import type { Site } from '../support/site.js';

@Event('work.rung')
class Rung {
  constructor(readonly n: number) {}
}

@Command('work.ring')
class Ring {}

/** What is in all feeds, in the order of `n`. */
async function rung(site: Site): Promise<number[]> {
  const partitions = Array.from({ length: site.partitions }, (_, index) => ({ context: site.context, index }));
  const feeds = await Promise.all(partitions.map((partition) => site.store.readFeed(partition, 0, 10_000)));
  return feeds
    .flat()
    .map(({ fields }) => (JSON.parse(fields[1]!) as { data: Rung }).data.n)
    .sort((a, b) => a - b);
}

describe('a timer is fired once', () => {
  it('whatever the number of replicas that look at it at the same time', async () => {
    const site = await redisSite({ partitions: 4 });
    // Without handlers none of them holds a partition: all fire what they see.
    for (let replica = 0; replica < 4; replica++) {
      const store = await RedisPartitionStore.connect({ url: redisUrl(), namespace: site.namespace });
      const broker = new Broker(store, { context: site.context, partitions: site.partitions });
      const subscriber = new Subscriber(broker, new Subscriptions(site.context));
      onTestFinished(async () => {
        await subscriber.stop();
        await store.close();
      });
      await subscriber.start();
    }
    const numbers = Array.from({ length: 400 }, (_, n) => n);
    await Promise.all(numbers.map((n) => site.publisher.publish(new Rung(n), { delayMs: n })));
    await eventually(async () => expect((await rung(site)).length).toBeGreaterThanOrEqual(400));
    // Whoever was slower has been refused by now: nothing is set any more.
    expect((await new Scheduler(site.broker).list()).schedules).toEqual([]);
    expect(await rung(site)).toEqual(numbers);
  });
});

describe.each(SITES)('nothing goes out before the state it belongs to is saved, on %s', (_name, open) => {
  it('neither at once nor later, when the handler fails after it has published', async () => {
    const site = await open();
    const scheduler = new Scheduler(site.broker);
    const scheduled: number[] = [];
    await site.start(
      {
        'work.do': async (_data, { attempt }) => {
          await site.publisher.publish(new Rung(attempt));
          await site.publisher.publish(new Rung(10 + attempt), { delayMs: 1 });
          await scheduler.schedule(new Rung(20 + attempt), { delayMs: 1 });
          scheduled.push(attempt);
          if (attempt < 3) throw new Error('the state could not be saved');
        },
      },
      { retry: { delayMs: 30, factor: 1 } },
    );
    await site.say('work.do', {});
    await eventually(async () => expect(await rung(site)).toEqual([3, 13, 23]));
    expect(scheduled).toEqual([1, 2, 3]);
  });

  it('nor when somebody else was faster to save it', async () => {
    const site = await open();
    let other: () => Promise<unknown> = async () => undefined;
    let runs = 0;
    await site.start({
      'work.do': async (_data, { entry }) => {
        runs++;
        const { partition } = entry.source;
        const { revision = 0 } = (await site.store.readState(partition, 'count')) ?? {};
        await site.publisher.publish(new Rung(runs), { delayMs: 1 });
        await other();
        UnitOfWork.current()!.stage(partition, {
          guards: [{ kind: 'revision', state: 'count', expected: revision }],
          writes: [{ kind: 'put', state: 'count', value: `${runs}` }],
        });
      },
    });
    other = () => {
      other = async () => undefined;
      const put = { kind: 'put', state: 'count', value: 'other' } as const;
      return site.store.commit({ partition: { context: site.context, index: 0 }, guards: [], writes: [put] });
    };
    await site.say('work.do', {});
    await eventually(async () => expect(await rung(site)).toEqual([2]));
    expect(runs).toBe(2);
  });

  it('and a handler that cancels too late decides again', async () => {
    const site = await open();
    const scheduler = new Scheduler(site.broker);
    const answers: boolean[] = [];
    await scheduler.schedule(new Ring(), { delayMs: 60_000, id: 'ring' });
    await site.start({
      'work.ring': () => undefined,
      'work.do': async () => {
        answers.push(await scheduler.cancel('ring'));
        // Fires while the handler still decides.
        if (answers.length > 1) return;
        await new Scheduler(new Broker(site.store, { context: site.context, partitions: 1 })).move('ring', new Date(0));
        await eventually(async () => expect(await scheduler.get('ring')).toBeUndefined());
      },
    });
    await site.say('work.do', {});
    await eventually(() => expect(answers).toEqual([true, false]));
  });
});
