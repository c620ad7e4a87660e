import type { Commit } from './commit.js';
import { Publications } from './publications.js';

const partition = (index: number) => ({ context: 'order', index });

function publishing(outcome: () => Promise<unknown> = () => Promise.resolve()) {
  const commits: Commit[] = [];
  const publications = new Publications((commit) => {
    commits.push(commit);
    return outcome();
  });
  const events = () =>
    commits.map(({ writes }) => writes.flatMap((write) => (write.kind === 'append' ? write.events : [])));
  return { publications, commits, events };
}

describe('events published in one turn', () => {
  it('become one commit for each partition, in their order', async () => {
    const { publications, commits, events } = publishing();
    const sent = ['a', 'b', 'c', 'd'].map((event, i) => publications.add(partition(i % 2), event));
    expect(commits).toEqual([]);
    await Promise.all(sent);
    expect(events()).toEqual([
      ['a', 'c'],
      ['b', 'd'],
    ]);
    expect(commits.map((commit) => commit.partition)).toEqual([partition(0), partition(1)]);
    expect(commits.every(({ guards }) => guards.length === 0)).toBe(true);
  });

  it('leave before the turn ends once there are enough, and the others with its end', async () => {
    const { publications, events } = publishing();
    const sent = Array.from({ length: 203 }, (_, i) => publications.add(partition(i % 2), `${i}`));
    expect(events().map(({ length }) => length)).toEqual([100, 100]);
    await Promise.all(sent);
    await publications.add(partition(0), 'later');
    expect(events().map(({ length }) => length)).toEqual([100, 100, 2, 1, 1]);
    expect(events()[0]).toEqual(Array.from({ length: 100 }, (_, i) => `${2 * i}`));
    expect(events().slice(2)).toEqual([['200', '202'], ['201'], ['later']]);
  });

  it('fail as their commit does', async () => {
    const { publications } = publishing(() => Promise.reject(new Error('away')));
    const sent = [publications.add(partition(0), 'a'), publications.add(partition(0), 'b')];
    for (const each of sent) await expect(each).rejects.toThrow('away');
  });
});
