import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { Ambient } from './ambient.js';

describe('an ambient value', () => {
  it('is found below its function, behind awaits, and nowhere else', async () => {
    const ambient = new Ambient<string>();
    const found = ambient.run(
      'a',
      async (more: string) => {
        const before = ambient.current;
        await turn();
        return [before, ambient.current, ambient.run('b', () => ambient.current), ambient.current, more];
      },
      'given',
    );
    expect(ambient.current).toBeUndefined();
    expect(await found).toEqual(['a', 'a', 'b', 'a', 'given']);
    await turn();
    expect(ambient.current).toBeUndefined();
  });

  it('is found until its promise settles, whatever else comes and goes meanwhile', async () => {
    const step = fc.constantFrom('at once', 'a turn', 'three turns', 'throws');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(step, fc.nat(3)), { maxLength: 20 }), async (works) => {
        const ambient = new Ambient<number>();
        const wrong: number[] = [];
        const look = (own: number): void => void (ambient.current === own || wrong.push(own));
        const work = async (own: number, turns: number, fails: boolean): Promise<void> => {
          look(own);
          for (let i = 0; i < turns; i++) {
            await turn();
            look(own);
          }
          if (fails) throw new Error('failed');
        };
        const begun: Promise<void>[] = [];
        for (const [own, [kind, pauses]] of works.entries()) {
          if (kind === 'at once') ambient.run(own, look, own);
          else begun.push(ambient.run(own, work, own, kind === 'three turns' ? 3 : 1, kind === 'throws'));
          for (let i = 0; i < pauses; i++) await turn();
          if (ambient.current !== undefined) wrong.push(-1);
        }
        await Promise.allSettled(begun);
        expect(wrong).toEqual([]);
      }),
    );
  });

  it('asks a thenable for nothing: a query that is run by being asked is not run twice', async () => {
    const ambient = new Ambient<string>();
    let asked = 0;
    const query = { then: (resolve: (value: string) => void) => resolve(`answer ${++asked} of ${ambient.current}`) };
    expect(await ambient.run('a', async () => await query)).toBe('answer 1 of a');
    expect(await ambient.run('a', () => query)).toMatch(/^answer 2/);
    expect(asked).toBe(2);
  });

  it('lets a function fail as it would', async () => {
    const ambient = new Ambient<string>();
    const error = new Error('failed');
    expect(() =>
      ambient.run('a', () => {
        throw error;
      }),
    ).toThrow(error);
    await expect(ambient.run('a', () => Promise.reject(error))).rejects.toBe(error);
    expect(ambient.current).toBeUndefined();
  });
});
