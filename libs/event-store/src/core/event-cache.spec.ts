import { EventCache } from './event-cache.js';
import type { KnownStream } from './event-cache.js';

describe('the event cache', () => {
  const stream = (length: number) =>
    ({
      events: Array.from({ length }, (_, position) => ({ position })),
      last: {},
      snapshot: undefined,
    }) as unknown as KnownStream;

  it('keeps long streams only', () => {
    const cache = new EventCache();
    const long = stream(16);
    cache.put('long', long);
    cache.put('short', stream(15));
    expect(cache.get('long')).toBe(long);
    expect(cache.get('short')).toBeUndefined();
  });

  it('forgets what was put longest ago when it is full, and takes nothing larger than itself', () => {
    const cache = new EventCache(60);
    cache.put('a', stream(20));
    cache.put('b', stream(20));
    cache.put('a', stream(21));
    cache.put('c', stream(20));
    cache.put('huge', stream(61));
    expect(['a', 'b', 'c', 'huge'].filter((name) => cache.get(name))).toEqual(['a', 'c']);
  });
});
