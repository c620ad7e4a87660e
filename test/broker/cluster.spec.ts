import { ConfigurationError, partitionOf, RedisPartitionStore, UnitOfWork } from '@millrace/broker';
import type { Commit, Guard, Write } from '@millrace/broker';
import fc from 'fast-check';
import { PrivateCluster } from '../support/cluster.js';
import { privateRedis } from '../support/private-redis.js';
import { eventually, freshNamespace, onTestFinished } from '../support/redis.js';
import { clusterSite } from '../support/site.js';
import type { Site } from '../support/site.js';

const PARTITIONS = 4;
const partition = fc.record({ context: fc.constantFrom('work', 'other'), index: fc.nat(3) });
const name = fc.constantFrom('a', 'b', 'c');
const write: fc.Arbitrary<Write> = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), stream: name, events: fc.array(fc.string(), { maxLength: 3 }) }),
  fc.record({ kind: fc.constant('put' as const), state: name, value: fc.string() }),
  fc.record({ kind: fc.constant('row' as const), view: name, id: fc.string(), value: fc.option(fc.string()) }),
  fc.record(
    { kind: fc.constant('emit' as const), to: partition, log: fc.constantFrom('in', 'feed'), message: fc.string() },
    { requiredKeys: ['kind', 'to', 'message'] },
  ),
  fc.record({ kind: fc.constant('timer' as const), id: name, due: fc.nat(), message: fc.string() }),
);
const lease = (at: Commit['partition']): Guard => ({ kind: 'lease', partition: at, group: 'g', epoch: 0 });
const commit: fc.Arbitrary<Commit> = fc.record({
  partition,
  guards: fc.oneof(
    fc.constant([]),
    partition.map((at) => [lease(at)]),
  ),
  writes: fc.array(write, { maxLength: 5 }),
});

/** A handler that appends to the feed of another partition than its message came to, and sends a message to a third. */
const onwards = {
  'work.do': ({ n }: { n: number }) => {
    const index = partitionOf(`to-${n}`, PARTITIONS);
    const unit = UnitOfWork.current()!;
    unit.stage({ context: 'work', index }, { writes: [{ kind: 'append', events: [`${n}`] }] });
    unit.emit({ context: 'mail', index: n % 2 }, `${n}`);
  },
};

const send = (site: Site, n: number): Promise<unknown> =>
  site.store.commit({
    partition: { context: 'work', index: n % PARTITIONS },
    guards: [{ kind: 'command', id: `send-${n}`, result: '', ttlMs: 600_000 }],
    writes: [
      {
        kind: 'emit',
        to: { context: 'work', index: partitionOf(`${n}`, PARTITIONS) },
        message: JSON.stringify({ id: `${n}`, source: '/test', type: 'work.do', data: { n } }),
      },
    ],
  });

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
const sorted = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);

async function handled(site: Site): Promise<number[]> {
  const at = upTo(PARTITIONS).map((index) => ({ context: 'work', index }));
  const feeds = await Promise.all(at.map((each) => site.store.readFeed(each, 0, 10_000)));
  return sorted(feeds.flat().map(({ fields }) => Number(fields[1])));
}

/** The messages that the handlers have sent, in the order in which they arrived. */
async function mailed(site: Site, index: number): Promise<number[]> {
  const source = { partition: { context: 'mail', index }, log: 'in' } as const;
  await site.store.createGroup(source, 'look');
  const reader = site.store.openReader();
  await reader.readGroup('look', [source], 10_000, 0);
  await reader.close();
  return (await site.store.readPending(source, 'look', '0', 10_000)).map(({ fields }) => Number(fields[1]));
}

/** Everything was handled once, and what the handlers sent arrived once. */
async function expectOnce(site: Site, count: number): Promise<void> {
  await eventually(async () => expect(await handled(site)).toEqual(upTo(count)), 30_000);
  await eventually(async () =>
    expect(sorted([...(await mailed(site, 0)), ...(await mailed(site, 1))])).toEqual(upTo(count)),
  );
  for (const index of upTo(PARTITIONS)) {
    await eventually(async () => expect(await site.open(index)).toBe(0));
    expect(await site.deadLetters(index)).toEqual([]);
  }
}

describe('on a Redis Cluster', () => {
  let cluster: PrivateCluster;
  beforeAll(async () => {
    cluster = await PrivateCluster.start({ masters: 3, replicas: 1 });
  }, 60_000);
  afterAll(() => cluster.stop());
  const options = { partitions: PARTITIONS };

  it('no commit ever crosses slots, many at once neither', async () => {
    const site = await clusterSite(cluster.addresses, options);
    const outcomes = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.array(commit, { minLength: 1, maxLength: 40 }), async (commits) => {
        for (const { status } of await Promise.all(commits.map((each) => site.store.commit(each))))
          outcomes.add(status);
      }),
      { numRuns: 60 },
    );
    expect(outcomes).toEqual(new Set(['committed', 'refused']));
  });

  it('of guards of one kind in several slots, the first that fails is reported', async () => {
    const { store } = await clusterSite(cluster.addresses, options);
    const at = (index: number) => ({ context: 'work', index });
    const command = (id: string, result: string, partition: Commit['partition']): Guard => ({
      kind: 'command',
      id,
      result,
      ttlMs: 60_000,
      partition,
    });
    await store.commit({ partition: at(0), guards: [command('c', 'in 0', at(0))], writes: [] });
    await store.commit({ partition: at(1), guards: [command('c', 'in 1', at(1))], writes: [] });
    const guards = [command('new', '', at(1)), command('c', '', at(0)), command('c', '', at(1))];
    const refused = { status: 'refused', guard: 'command' };
    expect(await store.commit({ partition: at(1), guards, writes: [] })).toEqual({ ...refused, found: 'in 0' });
    guards.reverse();
    expect(await store.commit({ partition: at(1), guards, writes: [] })).toEqual({ ...refused, found: 'in 1' });
  });

  it('messages of one partition arrive in order and once, however many deliver them at the same time', async () => {
    const site = await clusterSite(cluster.addresses, options);
    const others = await Promise.all(
      [1, 2].map(() => clusterSite(cluster.addresses, { ...options, namespace: site.namespace })),
    );
    const home = { context: 'work', index: 0 };
    const all: Promise<unknown>[] = [];
    for (const n of upTo(400)) {
      const to = { context: 'mail', index: n % 2 };
      all.push(site.store.commit({ partition: home, guards: [], writes: [{ kind: 'emit', to, message: `${n}` }] }));
      for (const { store } of others) all.push(store.relay!(home));
      if (n % 10 === 0) await all.at(-1);
    }
    await Promise.all(all);
    await eventually(async () => expect(await site.store.relay!(home)).toBe(0));
    expect(await mailed(site, 0)).toEqual(upTo(400).filter((n) => n % 2 === 0));
    expect(await mailed(site, 1)).toEqual(upTo(400).filter((n) => n % 2 === 1));
  });

  it('what a process leaves undelivered is delivered by the next one', async () => {
    const site = await clusterSite(cluster.addresses, options);
    const from = { context: 'work', index: 1 };
    const raw = await cluster.masterOf(site.keys.out(from));
    await raw.ask('XADD', site.keys.out(from), '*', 'to', 'mail/0', 'event', '7');
    await site.start(onwards);
    await eventually(async () => expect(await mailed(site, 0)).toEqual([7]));
  });

  it('two processes share the partitions, and handlers write to other partitions than their message came to', async () => {
    const site = await clusterSite(cluster.addresses, options);
    const other = await clusterSite(cluster.addresses, { ...options, namespace: site.namespace });
    await site.start(onwards);
    await other.start(onwards);
    await Promise.all(upTo(400).map((n) => send(site, n)));
    await expectOnce(site, 400);
    const marks = upTo(PARTITIONS).flatMap((index) =>
      upTo(PARTITIONS).map((from) =>
        site.keys.taken({ context: 'work', index }, 'work', { context: 'work', index: from }),
      ),
    );
    await eventually(async () => {
      for (const key of marks) {
        const fields = (await (await cluster.masterOf(key)).ask('HKEYS', key)) as string[];
        expect(fields.filter((field) => field !== 'epoch')).toEqual([]);
      }
    });
  });

  it('a message is at once handled when nothing else comes', async () => {
    const site = await clusterSite(cluster.addresses, options);
    await site.start(onwards, { blockMs: 5_000 });
    await eventually(async () => {
      const before = (await handled(site)).length;
      const begun = performance.now();
      await send(site, before);
      await eventually(async () => expect(await handled(site)).toHaveLength(before + 1));
      expect(performance.now() - begun).toBeLessThan(500);
      expect(before).toBeGreaterThan(3);
    });
  });

  it('consumption goes on, each message once, while slots move to another node', async () => {
    const site = await clusterSite(cluster.addresses, options);
    const other = await clusterSite(cluster.addresses, { ...options, namespace: site.namespace });
    await site.start(onwards);
    await other.start(onwards);
    const sending: Promise<unknown>[] = [];
    for (let n = 0; n < 400; n++) {
      sending.push(send(site, n));
      if (n % 100 === 50) {
        const key = site.keys.out({ context: 'work', index: Math.floor(n / 100) });
        const from = await cluster.masterOf(key);
        await cluster.migrate(
          key,
          cluster.masters.find((node) => node !== from)!,
        );
      }
    }
    await Promise.all(sending);
    await expectOnce(site, 400);
  }, 60_000);

  it('consumption goes on, each message once, when a replica takes the place of a master that was killed', async () => {
    const site = await clusterSite(cluster.addresses, options);
    await site.start(onwards);
    await Promise.all(upTo(100).map((n) => send(site, n)));
    await expectOnce(site, 100);
    const key = site.keys.out({ context: 'work', index: 0 });
    const master = await cluster.masterOf(key);
    // A failover loses what the replica has not got, and WAIT looks at the last write of its own connection.
    await master.ask('SET', `${key}:replicated`, '');
    expect(await master.ask('WAIT', 1, 5_000)).toBe(1);
    await master.stop();
    await Promise.all(
      upTo(200)
        .slice(100)
        .map((n) => send(site, n)),
    );
    await expectOnce(site, 200);
  }, 60_000);
});

describe('a service that cannot use its cluster', () => {
  it('says that a server is no cluster, and that there is none at all', async () => {
    const { url } = await privateRedis();
    const { hostname: host, port } = new URL(url);
    const single = RedisPartitionStore.connect({ cluster: [{ host, port: Number(port) }] });
    await expect(single).rejects.toThrow(ConfigurationError);
    await expect(single).rejects.toThrow(`Redis at ${url} is no cluster: write redis: { url: '${url}' }`);
    const none = RedisPartitionStore.connect({ cluster: [{ host: '127.0.0.1', port: 1 }] });
    await expect(none).rejects.toThrow(/^no Redis answers at redis:\/\/127\.0\.0\.1:1: start one/);
  });

  it('says that options contradict each other', () => {
    const cluster = [{ host: '127.0.0.1', port: 1 }];
    const bad = [{ cluster: [] }, { cluster, url: 'redis://127.0.0.1' }, { cluster, delivery: 'direct' }] as const;
    for (const options of bad) expect(() => new RedisPartitionStore(options)).toThrow(ConfigurationError);
  });

  it('says that a cluster is not a single server', async () => {
    const cluster = await PrivateCluster.start({ masters: 1 });
    onTestFinished(() => cluster.stop());
    const url = `redis://127.0.0.1:${cluster.addresses[0]!.port}`;
    const direct = RedisPartitionStore.connect({ url, namespace: freshNamespace() });
    await expect(direct).rejects.toThrow(
      `Redis at ${url} is a node of a cluster: write redis: { cluster: [{ host: '127.0.0.1', port:`,
    );
  });
});
