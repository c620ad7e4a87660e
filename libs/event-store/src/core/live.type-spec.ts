import type { EventStore } from './event-store.js';
import { live } from './live.js';

declare const events: EventStore;

class Added {
  constructor(readonly quantity: number) {}
}

const stock = live({
  initial: () => ({ available: 0 }),
  evolve: (on) => [on(Added, ({ available }, { quantity }) => ({ available: available + quantity }))],
});

// A stream has a version, for the next append; what is found by tag or category has none.
void events.fold(stock, 'shelf-1').then(({ state, version }) => [state.available, version] satisfies number[]);
void events.fold(stock, { category: 'shelf', id: '1' }).then(({ version }) => version satisfies number);
void events.fold(stock, { category: 'shelf' }).then(({ state, position }) => [state.available, position]);
// @ts-expect-error -- no version of many streams
void events.fold(stock, { category: 'shelf' }).then(({ version }) => version as number);

// @ts-expect-error -- a stream is in one partition, which its key says
void events.fold(stock, 'shelf-1', { partition: 1 });

// @ts-expect-error -- the state has no such property
void events.fold(stock, { tag: 'tea' }).then(({ state }) => state.sold as number);

// @ts-expect-error -- either a tag or a category
void events.fold(stock, { tag: 'tea', category: 'shelf' });

// @ts-expect-error -- evolve gives something else than the state
live({ initial: () => 0, evolve: (on) => [on(Added, () => 'many')] });

// @ts-expect-error -- the event has no such property
live({ initial: () => 0, evolve: (on) => [on(Added, (n, { weight }) => n + weight)] });
