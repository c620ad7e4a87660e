import { DeadLetters, Subscriptions, UnitOfWork } from '@millrace/broker';
import type { SubscriberSettings } from '@millrace/broker';
import { PrivateCluster } from '../support/cluster.js';
import { command, ledger } from '../support/effects.js';
import { programOf } from '../support/program-of.js';
import { eventually, redisUrl } from '../support/redis.js';
import { clusterSite, redisSite } from '../support/site.js';
import type { Site } from '../support/site.js';
import { Worker } from '../support/worker.js';

const PROGRAM = programOf('effects-process');
const LONG_MS = 1_000;
/** A process that has a command in hand reads no more, so that a frozen one does not get what undoes it. */
const one: SubscriberSettings = { concurrency: 1, prefetch: 1, readCount: 1 };

/** Two processes of the service; the first begins `do-1` and is frozen before its commit. */
async function frozenIn(site: Site, settings: SubscriberSettings, url: string, data: object) {
  const [frozen, other] = [0, 1].map(() => Worker.start(site, { ...one, ...settings }, url, PROGRAM)) as [
    Worker,
    Worker,
  ];
  for (const { lines } of [frozen, other]) await eventually(() => expect(lines).toContain('ready'), 30_000);
  await command(site, 'do', 1, { data: { ...data, slowMs: LONG_MS } });
  await eventually(() => expect([...frozen.lines, ...other.lines]).toContain('begin 1'));
  const [first, second] = frozen.lines.includes('begin 1') ? [frozen, other] : [other, frozen];
  first.signal('SIGSTOP');
  return { first, second };
}

async function end(worker: Worker): Promise<void> {
  worker.signal('SIGTERM');
  expect(await worker.ended).toBe(0);
}

/** Every partition of the context. */
async function ledgers(site: Site): Promise<readonly object[]> {
  const indexes = Array.from({ length: site.partitions }, (_, index) => index);
  return (await Promise.all(indexes.map((index) => ledger(site, index)))).flat();
}

/** Undoes what a frozen process has in hand, and wakes it. */
async function overtake(site: Site, url: string, leaseTtlMs: number, data: object = {}): Promise<void> {
  const { first, second } = await frozenIn(site, { ordering: 'none', leaseTtlMs }, url, data);
  await command(site, 'undo', 1, { data });
  await eventually(async () => expect(await ledgers(site)).toEqual([{ undid: 1 }]), 20_000);
  // With a short lease the other process has taken the command over and refused it, else it is still the frozen one's.
  if (leaseTtlMs < LONG_MS) await eventually(async () => expect(await site.open()).toBe(0), 20_000);
  first.signal('SIGCONT');
  await command(site, 'do', 2, { data });
  await eventually(async () => expect(await site.open()).toBe(0), 20_000);
  await end(first);
  await end(second);
  expect(second.lines).not.toContain('begin 1');
  expect(await ledgers(site)).toEqual([{ undid: 1 }, { did: 2 }]);
  expect(await site.deadLetters()).toEqual([]);
}

describe('a process that is frozen between the handler of a command and its commit', () => {
  it.each([
    ['wakes while the command is still its own', 60_000],
    ['wakes when another one has taken the command over', 600],
  ])(
    'has no effect when that was undone meanwhile: it %s',
    async (_when, leaseTtlMs) => {
      await overtake(await redisSite(), redisUrl(), leaseTtlMs);
    },
    60_000,
  );

  it('has no effect beside that of its successor, where an order has the command done before it is undone', async () => {
    const site = await redisSite();
    const { first, second } = await frozenIn(site, { leaseTtlMs: 600 }, redisUrl(), {});
    await command(site, 'undo', 1);
    await eventually(async () => expect(await ledger(site)).toEqual([{ did: 1 }, { undid: 1 }]), 20_000);
    first.signal('SIGCONT');
    await command(site, 'do', 2);
    await eventually(async () => expect(await site.open()).toBe(0), 20_000);
    await end(first);
    await end(second);
    expect(await ledger(site)).toEqual([{ did: 1 }, { undid: 1 }, { did: 2 }]);
  }, 90_000);
});

describe('on a Redis Cluster', () => {
  let cluster: PrivateCluster;
  beforeAll(async () => {
    cluster = await PrivateCluster.start();
  }, 60_000);
  afterAll(() => cluster.stop());

  const options = { partitions: 3 };

  it.each([
    ['wakes while the command is still its own', 60_000],
    ['wakes when another one has taken the command over', 600],
  ])(
    'a frozen process that writes to another slot has no effect that was undone meanwhile: it %s',
    async (_when, ms) => {
      const site = await clusterSite(cluster.addresses, options);
      await overtake(site, JSON.stringify(cluster.addresses), ms, { home: 2 });
    },
    90_000,
  );

  it('what was undone in one slot is refused to a command that writes to another, after a redrive as well', async () => {
    const site = await clusterSite(cluster.addresses, options);
    let failing = true;
    const stage = (index: number, what: object): void => {
      const write = { kind: 'append', stream: 'ledger', events: [JSON.stringify(what)] } as const;
      UnitOfWork.current()!.stage({ context: site.context, index }, { writes: [write] });
    };
    const subscriber = await site.start(
      {
        'work.do': ({ n }: { n: number }) => {
          if (failing) throw new Error('not now');
          stage(2, { did: n });
        },
        'work.undo': ({ n }: { n: number }) => stage(1, { undid: n }),
      },
      { retry: { attempts: 1 } },
    );
    await command(site, 'do', 1);
    await eventually(async () => expect(await site.deadLetters()).toHaveLength(1));
    await command(site, 'undo', 1);
    await eventually(async () => expect(await ledgers(site)).toEqual([{ undid: 1 }]));
    await eventually(async () => expect(await site.open()).toBe(0));
    failing = false;
    const deadLetters = new DeadLetters(site.broker, new Subscriptions(site.context));
    const { letters } = await deadLetters.list();
    await deadLetters.redrive(letters[0]!.id);
    await eventually(() => expect(subscriber.superseded.get('work')).toBe(1));
    expect(await ledgers(site)).toEqual([{ undid: 1 }]);
    expect(await site.deadLetters()).toEqual([]);
  });
});
