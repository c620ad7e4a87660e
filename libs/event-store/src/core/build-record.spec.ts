import { begun, buildsOf, cancelled, cleared, declared, rolledBack, switched, without } from './build-record.js';
import type { BuildRecord } from './build-record.js';

const v = (version: number) => ({ projection: 'list', version });
const first = declared(undefined, v(1));
const served = (record: BuildRecord, version: number) => switched(declared(record, v(version)), `list.v${version}`)!;

describe('the builds of a projection', () => {
  it('begin with the first version that anybody runs', () => {
    expect(first).toMatchObject({ serving: 'list.v1', retired: [] });
    expect(declared(undefined, v(3)).serving).toBe('list.v3');
  });

  it('do not change when a version that is known starts again', () => {
    expect(declared(first, v(1))).toBe(first);
    const built = declared(first, v(2));
    expect(declared(built, v(2))).toBe(built);
    expect(declared(built, v(1))).toBe(built);
  });

  it('have a newer version built beside the one that serves, until it takes its place', () => {
    const building = declared(first, v(2));
    expect(building).toMatchObject({ serving: 'list.v1', building: 'list.v2' });
    const done = switched(building, 'list.v2')!;
    expect(done).toMatchObject({ serving: 'list.v2', previous: 'list.v1', retired: [] });
    expect(done.building).toBeUndefined();
    expect(declared(done, v(1))).toBe(done);
  });

  it('retire a version that is overtaken while it is built, and what served before the last one', () => {
    expect(declared(declared(first, v(2)), v(3))).toMatchObject({ building: 'list.v3', retired: ['list.v2'] });
    expect(served(served(first, 2), 3)).toMatchObject({ previous: 'list.v2', retired: ['list.v1'] });
  });

  it('are switched once, by whoever is first', () => {
    expect(switched(served(first, 2), 'list.v2')).toBeUndefined();
    expect(switched(first, 'list.v2')).toBeUndefined();
  });

  it('get names of their own, whatever has been removed', () => {
    const again = begun(first, v(1));
    expect(again.building).toBe('list.v1.r2');
    const third = begun(cleared(switched(again, 'list.v1.r2')!), v(1));
    expect(third.building).toBe('list.v1.r3');
    expect(declared(third, v(2)).building).toBe('list.v2');
  });

  it('go back, and forth again; a version that was taken back is not built again by itself', () => {
    const back = rolledBack(served(first, 2))!;
    expect(back).toMatchObject({ serving: 'list.v1', previous: 'list.v2' });
    expect(declared(back, v(2))).toBe(back);
    expect(rolledBack(back)).toEqual(served(first, 2));
    expect(rolledBack(first)).toBeUndefined();
  });

  it('are given up, and dropped when they are not needed', () => {
    expect(cancelled(begun(first, v(1)))).toMatchObject({ serving: 'list.v1', retired: ['list.v1.r2'] });
    expect(cancelled(first)).toBeUndefined();
    const cleaned = cleared(served(served(first, 2), 3));
    expect(cleaned).toMatchObject({ serving: 'list.v3', retired: [], dropped: ['list.v2', 'list.v1'] });
    expect(cleaned.previous).toBeUndefined();
    expect(without(cleaned, ['list.v2']).dropped).toEqual(['list.v1']);
  });

  it('are kept up to date by who runs their version', () => {
    const building = declared(first, v(2));
    expect([...buildsOf(building, 1)]).toEqual([['list.v1', 'serving']]);
    expect([...buildsOf(building, 2)]).toEqual([['list.v2', 'building']]);
    const again = switched(begun(first, v(1)), 'list.v1.r2')!;
    expect([...buildsOf(again, 1)]).toEqual([
      ['list.v1.r2', 'serving'],
      ['list.v1', 'previous'],
    ]);
    expect([...buildsOf(again, 11)]).toEqual([]);
  });
});
