import { finishAll, onTestFinished } from './redis.js';

const ran: string[] = [];

function finisher(name: string, error?: Error): () => Promise<void> {
  return async () => {
    ran.push(name);
    if (error) throw error;
  };
}

describe('the finishers of a test', () => {
  beforeEach(() => ran.splice(0));

  it('all run, the last one first, when one of them fails', async () => {
    const error = new Error('closed before');
    const left = [finisher('a'), finisher('b', error), finisher('c')];
    await expect(finishAll(left)).rejects.toBe(error);
    expect([ran, left]).toEqual([['c', 'b', 'a'], []]);
  });

  it('tell of every failure', async () => {
    const left = [finisher('a', new Error('one')), finisher('b', new TypeError('two'))];
    await expect(finishAll(left)).rejects.toThrow('TypeError: two; Error: one');
    expect(ran).toEqual(['b', 'a']);
  });

  it('include those that one of them adds', async () => {
    const left: (() => Promise<void>)[] = [];
    left.push(async () => void left.push(finisher('added')));
    await finishAll(left);
    expect(ran).toEqual(['added']);
  });

  describe('run', () => {
    it('when the test has ended, not before', () => {
      onTestFinished(finisher('mine'));
      expect(ran).toEqual([]);
    });

    afterAll(() => expect(ran).toEqual(['mine']));
  });
});
