import { LazySignal } from './lazy-signal.js';

describe('a lazy signal', () => {
  it('is one signal, however often it is asked for', () => {
    const lazy = new LazySignal();
    expect(lazy.signal).toBe(lazy.signal);
    expect(lazy.signal.aborted).toBe(false);
  });

  it('is aborted with the first reason, whether it was asked for before or after', () => {
    const [early, late] = [new LazySignal(), new LazySignal()];
    const { signal } = early;
    for (const lazy of [early, late]) {
      lazy.abort(new Error('over'));
      lazy.abort(new Error('and over'));
    }
    expect(signal.reason).toEqual(new Error('over'));
    expect(late.signal.reason).toEqual(new Error('over'));
  });

  it('is aborted with its parents, with their reason', () => {
    const parent = new AbortController();
    const [before, after] = [new LazySignal(() => [parent.signal]), new LazySignal(() => [parent.signal])];
    const { signal } = before;
    expect(signal.aborted).toBe(false);
    parent.abort('stopping');
    expect([signal.reason, after.signal.reason]).toEqual(['stopping', 'stopping']);
  });

  it('does not ask for its parents before somebody asks for it', () => {
    let asked = 0;
    const lazy = new LazySignal(() => {
      asked++;
      return [];
    });
    lazy.abort('over');
    expect(asked).toBe(0);
    expect(lazy.signal.aborted).toBe(true);
    expect(asked).toBe(1);
  });
});
