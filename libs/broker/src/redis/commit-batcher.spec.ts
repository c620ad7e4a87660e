import type { Commit } from '../core/commit.js';
import { KeyBuilder } from '../core/keys.js';
import { CommitBatcher } from './commit-batcher.js';
import { CommitCompiler } from './commit-compiler.js';
import type { RedisConnection } from './redis-connection.js';

const partition = (index: number) => ({ context: 'order', index });

/** The events of one turn for one partition, as a publisher commits them. */
const publication = (index: number, count: number): Commit => ({
  partition: partition(index),
  guards: [],
  writes: [{ kind: 'append', events: Array.from({ length: count }, (_, i) => `event ${i}`) }],
});

const put: Commit = {
  partition: partition(0),
  guards: [],
  writes: [{ kind: 'put', state: 'order-1', value: '{}' }],
};

/** Counts what it is sent, and never answers. */
function batching() {
  const keys = new KeyBuilder('batching');
  const sent: string[][] = [];
  const connection = {
    send: (_command: string, [, count, ...rest]: (string | number)[]) => {
      sent.push(rest.slice(0, Number(count)).map(String));
      return new Promise(() => undefined);
    },
  } as unknown as RedisConnection;
  const batcher = new CommitBatcher(connection, new CommitCompiler(keys, 'direct'), 1000, (_, refused) =>
    Promise.resolve(refused),
  );
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  return { batcher, sent, turn, feed: (index: number) => keys.log({ partition: partition(index), log: 'feed' }) };
}

describe('the commits of a turn', () => {
  it('leave together when it ends', async () => {
    const { batcher, sent, turn, feed } = batching();
    void batcher.commit(publication(0, 99));
    void batcher.commit(publication(1, 100));
    expect(sent).toEqual([]);
    await turn();
    expect(sent).toEqual([[feed(0), feed(1)]]);
  });

  it('leave before that when enough is published, without those that are not publications', async () => {
    const { batcher, sent, turn, feed } = batching();
    void batcher.commit(put);
    void batcher.commit(publication(0, 100));
    void batcher.commit(publication(1, 100));
    expect(sent).toEqual([[feed(0), feed(1)]]);
    void batcher.commit(publication(2, 199));
    expect(sent).toHaveLength(1);
    await turn();
    expect(sent).toHaveLength(3);
    expect(sent).toContainEqual([feed(2)]);
    await turn();
    expect(sent).toHaveLength(3);
  });

  it('are divided where a call would be larger than the server should be kept busy with', async () => {
    const { batcher, sent } = batching();
    void batcher.commit(publication(0, 150));
    void batcher.commit(publication(1, 400));
    expect(sent).toHaveLength(2);
  });
});
