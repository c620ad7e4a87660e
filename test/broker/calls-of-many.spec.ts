import type { Commit, CommitResult, RedisPartitionStore, Write } from '@millrace/broker';
import { redisStore } from '../support/store.js';

const partition = (index: number) => ({ context: 'work', index });

/** A lease on each partition, by index. */
async function leased(store: RedisPartitionStore, partitions: number): Promise<readonly number[]> {
  const answers = Array.from({ length: partitions }, (_, index) =>
    store.acquireLease({ partition: partition(index), group: 'g', owner: 'me', ttlMs: 60_000 }),
  );
  return (await Promise.all(answers)).map((answer) => {
    if (!answer.held) throw new Error(`the lease belongs to ${JSON.stringify(answer)}`);
    return answer.epoch;
  });
}

/** All in one turn of the event loop, so that those of one shape go in one call. */
function together(store: RedisPartitionStore, commits: readonly Commit[]): Promise<readonly CommitResult[]> {
  return Promise.all(commits.map((commit) => store.commit(commit)));
}

const rows = (view: string, count: number): Write[] =>
  Array.from({ length: count }, (_, i): Write => ({ kind: 'row', view, id: `${i}`, value: `${view} ${i}` }));

describe('commits that go in one call', () => {
  it('find their own values behind those of one that has very many', async () => {
    const store = await redisStore();
    const sizes = [2, 127, 128, 129, 16_384, 2, 20_000, 3];
    const commits = sizes.map((size, i): Commit => ({
      partition: partition(i % 2),
      guards: [],
      writes: rows(`view-${i}`, size),
    }));
    const results = await together(store, commits);
    expect(results.map(({ status }) => status)).toEqual(sizes.map(() => 'committed'));
    for (const [i, size] of sizes.entries()) {
      const found = await store.readRows(partition(i % 2), `view-${i}`);
      expect(found).toEqual(new Map(Array.from({ length: size }, (_, row) => [`${row}`, `view-${i} ${row}`])));
    }
  });

  it('are held to the leases of their own partitions, whatever the others share', async () => {
    const store = await redisStore();
    const epochs = await leased(store, 5);
    const late = (i: number): boolean => i % 7 === 3;
    const commits = Array.from({ length: 40 }, (_, i): Commit => {
      const home = partition(i % 5);
      return {
        partition: home,
        guards: [{ kind: 'lease', partition: home, group: 'g', epoch: epochs[i % 5]! - (late(i) ? 1 : 0) }],
        writes: [{ kind: 'append', events: [`event ${i}`] }],
      };
    });
    const results = await together(store, commits);
    const refused = results.flatMap(({ status }, i) => (status === 'refused' ? [i] : []));
    expect(refused).toEqual([...commits.keys()].filter(late));
    for (const i of refused) expect(results[i]).toMatchObject({ guard: 'lease', found: String(epochs[i % 5]) });
    for (let home = 0; home < 5; home++) {
      const expected = [...commits.keys()].filter((i) => i % 5 === home && !late(i));
      const feed = await store.readFeed(partition(home), 0, 100);
      expect(feed.map(({ fields }) => fields[1])).toEqual(expected.map((i) => `event ${i}`));
      // Each is told the position of its own event.
      for (const [place, i] of expected.entries()) {
        expect(results[i]).toEqual({ status: 'committed', appended: [{ position: place + 1, version: 0 }] });
      }
    }
  });

  it('are committed once, also by a server that has forgotten its scripts', async () => {
    const store = await redisStore();
    const put = (i: number): Commit => ({
      partition: partition(i % 3),
      guards: [{ kind: 'revision', state: `s-${i}`, expected: 0 }],
      writes: [{ kind: 'put', state: `s-${i}`, value: `first ${i}` }],
    });
    await together(store, [put(0)]);
    await store.client.call('SCRIPT', 'FLUSH');
    const results = await together(
      store,
      Array.from({ length: 10 }, (_, i) => put(i)),
    );
    expect(results[0]).toEqual({ status: 'refused', guard: 'revision', found: '1' });
    expect(results.slice(1).map(({ status }) => status)).toEqual(Array.from({ length: 9 }, () => 'committed'));
    for (let i = 0; i < 10; i++) {
      expect(await store.readState(partition(i % 3), `s-${i}`)).toEqual({ revision: 1, value: `first ${i}` });
    }
  });
});
