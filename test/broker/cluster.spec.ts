import { Broker, ConfigurationError, KeyBuilder, RedisPartitionStore } from '@millrace/broker';
import type { Commit, Guard, Write } from '@millrace/broker';
import fc from 'fast-check';
import { freshNamespace, onTestFinished } from '../support/redis.js';
import { admin, clusterNode } from '../support/private-redis.js';

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

describe('on Redis Cluster, with an outbox', () => {
  let node: Awaited<ReturnType<typeof clusterNode>>;
  beforeAll(async () => {
    node = await clusterNode();
  });
  afterAll(() => node.stop());

  it('no commit ever crosses slots: it is done, or refused before it is sent', async () => {
    const { url } = node;
    const store = await RedisPartitionStore.connect({ url, namespace: freshNamespace(), delivery: 'outbox' });
    onTestFinished(() => store.close());
    const outcomes = new Set<string>();
    await fc.assert(
      // Many at once, so that commits of several partitions meet in one turn.
      fc.asyncProperty(fc.array(commit, { minLength: 1, maxLength: 40 }), async (commits) => {
        for (const result of await Promise.allSettled(commits.map((each) => store.commit(each)))) {
          if (result.status === 'fulfilled') outcomes.add(result.value.status);
          else {
            expect(result.reason).toBeInstanceOf(ConfigurationError);
            outcomes.add('cross-slot');
          }
        }
      }),
      { numRuns: 60 },
    );
    expect(outcomes).toEqual(new Set(['committed', 'refused', 'cross-slot']));
  });

  it('messages wait in the outbox of their partition, with their address', async () => {
    const { url } = node;
    const namespace = freshNamespace();
    const store = await RedisPartitionStore.connect({ url, namespace, delivery: 'outbox' });
    onTestFinished(() => store.close());
    const broker = new Broker(store, { context: 'work', partitions: 4 });
    const home = broker.partitionFor('k');
    await broker.commit({
      partition: home,
      guards: [],
      writes: [{ kind: 'emit', to: { context: 'other', index: 2 }, message: '{}' }],
    });
    const entries = await admin(url).xrange(new KeyBuilder(namespace).out(home), '-', '+');
    expect(entries).toEqual([[expect.any(String), ['to', 'other/2', 'event', '{}']]]);
  });
});
