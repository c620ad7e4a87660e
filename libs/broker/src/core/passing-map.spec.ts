import { PassingMap } from './passing-map.js';

describe('a map of what comes and goes', () => {
  it('has what was put into it, until it goes', () => {
    const map = new PassingMap<number>();
    map.set('a', 1);
    map.set('b', 2);
    map.set('a', 3);
    expect([map.size, map.has('a'), map.get('a'), map.get('c'), map.has('c')]).toEqual([2, true, 3, undefined, false]);
    expect([...map]).toEqual([
      ['a', 3],
      ['b', 2],
    ]);
    map.delete('a');
    map.delete('c');
    expect([map.size, map.has('a'), map.get('a'), [...map.values()]]).toEqual([1, false, undefined, [2]]);
  });

  it('has what goes while it is walked through no more', () => {
    const map = new PassingMap<number>();
    for (let n = 0; n < 4; n++) map.set(`${n}`, n);
    const seen: number[] = [];
    for (const [key, value] of map) {
      seen.push(value);
      map.delete(key);
      map.delete('2');
    }
    expect([seen, map.size]).toEqual([[0, 1, 3], 0]);
  });
});
