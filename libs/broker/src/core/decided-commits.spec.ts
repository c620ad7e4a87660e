import { setImmediate as turn } from 'node:timers/promises';
import { InMemoryPartitionStore } from '../in-memory/in-memory-partition-store.js';
import { Ambient } from './ambient.js';
import { Broker } from './broker.js';
import type { Commit, CommitResult } from './commit.js';
import { DecidedCommits } from './decided-commits.js';

const put = (state: string): Commit => ({
  partition: { context: 'shop', index: 0 },
  guards: [],
  writes: [{ kind: 'put', state, value: '1' }],
});

describe('what handlers have decided', () => {
  let certain: Promise<unknown> | undefined;
  let seen: string[];
  let commits: DecidedCommits;
  const by = (name: string) => ({
    committed: ({ status }: CommitResult) => void seen.push(`${name} ${status}`),
    fail: (error: unknown) => void seen.push(`${name} ${(error as Error).message}`),
  });

  beforeEach(() => {
    certain = undefined;
    seen = [];
    const broker = new Broker(new InMemoryPartitionStore(), { context: 'shop' });
    broker.finish((commit, next) => {
      const [write] = commit.writes;
      seen.push(`${write?.kind === 'put' ? write.state : ''} leaves`);
      return write?.kind === 'put' && write.state === 'bad' ? Promise.reject(new Error('no')) : next(commit);
    });
    commits = new DecidedCommits(broker, {
      get certain() {
        return certain;
      },
    });
  });

  it('leaves in its order at the end of the turn, and each hears what became of its own', async () => {
    commits.add(put('a'), by('a'));
    commits.add(put('bad'), by('bad'));
    expect(seen).toEqual([]);
    await turn();
    expect(seen.toSorted()).toEqual(['a committed', 'a leaves', 'bad leaves', 'bad no']);
    expect(seen.slice(0, 2)).toEqual(['a leaves', 'bad leaves']);
  });

  it('leaves when no handler is the current one, behind all ticks: Node watches promises until then', async () => {
    const units = new Ambient<string>();
    let current: string | undefined = 'nobody has looked';
    units.run('handler', () => {
      commits.add(put('a'), {
        ...by('a'),
        committed: () => (current = units.current),
      });
      process.nextTick(() => seen.push('a tick'));
    });
    process.nextTick(() => process.nextTick(() => seen.push('the tick of a tick')));
    await turn();
    expect(seen).toEqual(['a tick', 'the tick of a tick', 'a leaves']);
    expect(current).toBeUndefined();
  });

  it('waits while an acknowledgement of before has to be repeated', async () => {
    let repeated = (): void => undefined;
    certain = new Promise<void>((resolve) => (repeated = resolve));
    commits.add(put('a'), by('a'));
    await turn();
    expect(seen).toEqual([]);
    repeated();
    await turn();
    expect(seen).toEqual(['a leaves', 'a committed']);
  });
});
