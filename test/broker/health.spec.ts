import {
  Broker,
  BrokerHealthIndicator,
  BrokerModule,
  BrokerMonitor,
  DeadLetters,
  InMemoryPartitionStore,
  NonRetryableError,
  On,
  PARTITION_STORE,
  Publisher,
  StoreUnavailableError,
} from '@millrace/broker';
import type { BrokerModuleOptions, PartitionStore } from '@millrace/broker';
import { Event } from '@millrace/messages';
import { jest } from '@jest/globals';
import { Injectable, Module } from '@nestjs/common';
import { HealthCheckService, HealthIndicatorService, TerminusModule } from '@nestjs/terminus';
import { Test } from '@nestjs/testing';
import { IsInt } from 'class-validator';
import { eventually, freshNamespace, onTestFinished, redisUrl } from '../support/redis.js';
import { gate } from '../support/site.js';

@Event('work.done', { key: 'n' })
class Done {
  @IsInt() readonly n: number;

  constructor(n: number) {
    this.n = n;
  }
}

/** Terminus before 12 has no such status. */
const KNOWS_DEGRADED = 'degraded' in new HealthIndicatorService().check('any');
const DEGRADED = KNOWS_DEGRADED ? { status: 'degraded' } : { status: 'up', degraded: true };

const held: { until?: Promise<void> } = {};

@Injectable()
class Workers {
  @On(Done, { group: 'mailer' })
  async mail({ n }: Done): Promise<void> {
    if (n < 0) throw new NonRetryableError('nobody takes a negative one');
    if (n === 0) await held.until;
  }
}

async function start(options: Partial<BrokerModuleOptions> = {}) {
  const place = options.store ? {} : { redis: { url: redisUrl() }, namespace: freshNamespace() };
  const root = BrokerModule.forRoot({ context: 'work', partitions: 2, blockMs: 100, ...place, ...options });
  @Module({ imports: [root, TerminusModule.forRoot({ logger: false })], providers: [Workers] })
  class App {}
  const module = await Test.createTestingModule({ imports: [App] }).compile();
  const app = module.createNestApplication({ logger: false });
  await app.init();
  onTestFinished(() => app.close());
  const check = () => app.get(BrokerHealthIndicator).check('broker');
  return { app, check, publisher: app.get(Publisher), store: app.get<PartitionStore>(PARTITION_STORE) };
}

describe('the health of a service', () => {
  it('is up while its groups keep up, with the figures', async () => {
    const { check, publisher } = await start();
    await publisher.publish(new Done(1));
    await eventually(async () =>
      expect(await check()).toEqual({
        broker: { status: 'up', lag: 0, pending: 0, oldestPendingMs: 0, deadLetters: 0, timers: 0, vanished: 0 },
      }),
    );
  });

  it('is degraded beyond a limit, down beyond another, and says why', async () => {
    const { passed, open } = gate();
    held.until = passed;
    const { app, check, publisher } = await start({
      health: { degraded: { maxPendingMs: 20 }, down: { maxLag: 3 } },
      prefetch: 1,
      readCount: 1,
      partitions: 1,
    });
    onTestFinished(async () => open());
    await publisher.publish(new Done(0));
    await eventually(async () =>
      expect(await check()).toMatchObject({
        broker: {
          ...DEGRADED,
          pending: 1,
          reasons: [
            expect.stringMatching(/group 'work\.mailer' of log 'feed' on work\/0 has not finished 0-1 for \d+ ms/),
          ],
        },
      }),
    );
    for (let n = 1; n <= 9; n++) await publisher.publish(new Done(0));
    await eventually(async () =>
      expect(await check()).toMatchObject({
        broker: { status: 'down', reasons: expect.arrayContaining([expect.stringMatching(/has \d+ unread entries/)]) },
      }),
    );
    await expect(app.get(HealthCheckService).check([check])).rejects.toMatchObject({ status: 503 });
    open();
    await eventually(async () => expect(await check()).toMatchObject({ broker: { status: 'up' } }));
  });

  it('is degraded while a dead letter is new, which does not fail the check', async () => {
    const { app, check, publisher } = await start();
    await publisher.publish(new Done(-1));
    await eventually(async () =>
      expect(await check()).toMatchObject({
        broker: {
          ...DEGRADED,
          deadLetters: 1,
          reasons: [expect.stringMatching(/^a message was given up \d+ ms ago: dead letter work\/[01]\/\d+-\d+$/)],
        },
      }),
    );
    await expect(app.get(HealthCheckService).check([check])).resolves.toMatchObject({
      status: KNOWS_DEGRADED ? 'degraded' : 'ok',
    });
    const letters = app.get(DeadLetters);
    await letters.discard((await letters.list()).letters[0]!.id);
    expect(await check()).toMatchObject({ broker: { status: 'up', deadLetters: 0 } });
  });

  it('is up again when the latest dead letter has been there for long, though it is kept', async () => {
    const { check, publisher } = await start({ health: { degraded: { newDeadLetterMs: 2_000 } } });
    await publisher.publish(new Done(-1));
    await eventually(async () => expect(await check()).toMatchObject({ broker: DEGRADED }));
    await eventually(async () => expect(await check()).toMatchObject({ broker: { status: 'up', deadLetters: 1 } }));
  });

  it('can have a limit of dead letters kept, however old', async () => {
    const { check, publisher } = await start({ health: { degraded: { newDeadLetterMs: 0, maxDeadLetters: 1 } } });
    await publisher.publish(new Done(-1));
    await eventually(async () => expect(await check()).toMatchObject({ broker: { status: 'up', deadLetters: 1 } }));
    await publisher.publish(new Done(-2));
    await eventually(async () =>
      expect(await check()).toMatchObject({
        broker: { ...DEGRADED, reasons: ['2 dead letters wait for a decision'] },
      }),
    );
  });

  it('counts the dead letters that are listed: also those of what it reads of other contexts', async () => {
    const store = new InMemoryPartitionStore();
    const { app, check } = await start({ store, context: 'post' });
    const work = new Publisher(new Broker(store, { context: 'work' }));
    await work.publish(new Done(-1));
    await eventually(async () => expect(await app.get(DeadLetters).count()).toBe(1));
    expect(await check()).toMatchObject({ broker: { ...DEGRADED, deadLetters: 1 } });
    expect((await app.get(DeadLetters).list()).letters).toMatchObject([{ group: 'post.mailer' }]);
  });

  it('is degraded by a group that nobody runs any more', async () => {
    const { check, publisher, store } = await start({ retention: { followers: { reportAfterMs: 50 } }, partitions: 1 });
    await store.createGroup({ partition: { context: 'work', index: 0 }, log: 'feed' }, 'work.printer');
    expect(await check()).toMatchObject({ broker: { status: 'up' } });
    await publisher.publish(new Done(1));
    await eventually(async () =>
      expect(await check()).toMatchObject({
        broker: {
          ...DEGRADED,
          vanished: 1,
          reasons: [expect.stringContaining("group 'work.printer' of log 'feed' on work/0 has not been seen for long")],
        },
      }),
    );
  });

  it('is down when the store does not answer', async () => {
    const store = new InMemoryPartitionStore();
    const { check } = await start({ store });
    expect(await check()).toMatchObject({ broker: { status: 'up' } });
    jest.spyOn(store, 'survey').mockRejectedValue(new StoreUnavailableError('no Redis answers'));
    expect(await check()).toEqual({
      broker: { status: 'down', reasons: ['the store does not answer: no Redis answers'] },
    });
  });

  it('refuses limits that cannot work', async () => {
    await expect(start({ health: { degraded: { maxLag: -1 } } })).rejects.toThrow(
      'has health.degraded.maxLag: -1; it must be an integer of at least 0, or Infinity',
    );
  });
});

describe('the figures of a service', () => {
  it('tell of every partition, group and log, and who consumes it', async () => {
    const { app, publisher } = await start({ partitions: 1 });
    for (let n = 1; n <= 3; n++) await publisher.publish(new Done(n));
    const monitor = app.get(BrokerMonitor);
    await eventually(async () => {
      const { context, server, own, others, heldBack } = await monitor.inspect();
      expect({ context, others, heldBack }).toEqual({ context: 'work', others: [], heldBack: [] });
      expect(server).toMatch(/^(Redis|Valkey) /);
      expect(own).toHaveLength(1);
      expect(own[0]!.followers).toContainEqual({
        follower: { kind: 'group', log: 'feed', group: 'work.mailer' },
        position: '0-3',
        lag: 0,
        lagIsExact: true,
        pending: 0,
        oldestPending: undefined,
        unseenMs: expect.any(Number),
        holder: expect.any(String),
      });
    });
  });
});
