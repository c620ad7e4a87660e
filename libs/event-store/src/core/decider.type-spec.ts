import type { Broker } from '@millrace/broker';
import { Aggregate, AggregateRoot } from './aggregate.js';
import { decider } from './decider.js';
import { refuse } from './decider-instance.js';
import { Repository } from './repository.js';
import type { RepositoryOf } from './repository.js';

declare const broker: Broker;

class Added {
  constructor(readonly quantity: number) {}
}
class Held {
  constructor(readonly orderId: string) {}
}
class Burnt {
  constructor(readonly reason: string) {}
}
class OutOfStock {
  constructor(readonly sku: string) {}
}
interface Shelf {
  readonly available: number;
}
type ShelfCommand = { readonly add: number } | { readonly hold: string };

const shelf = decider({
  name: 'shelf',
  initial: (): Shelf => ({ available: 0 }),
  evolve: (on) => [
    on(Added, ({ available }, { quantity }) => ({ available: available + quantity })),
    on(Held, ({ available }) => ({ available: available - 1 })),
  ],
  decide: (command: ShelfCommand, { available }) => {
    if ('add' in command) return new Added(command.add);
    return available > 0 ? [new Held(command.hold)] : refuse(new OutOfStock('tea'));
  },
});

// A repository knows what its decider decides on, what happens, and what is refused.
const shelves = new Repository(broker, shelf) satisfies RepositoryOf<typeof shelf>;
void shelves.decide('a', { hold: 'o1' }).then(({ events, refusal, state }) => {
  const [event]: readonly (Added | Held)[] = events;
  const known: OutOfStock | undefined = refusal;
  return [event, known, state.available];
});

// @ts-expect-error -- no command of this decider
void shelves.decide('a', { burn: true });

// @ts-expect-error -- an event that evolve does not know
decider({ name: 'a', initial: () => 0, evolve: (on) => [on(Added, (n) => n)], decide: () => new Burnt('by accident') });

decider({
  name: 'a',
  initial: () => 0,
  evolve: (on) => [on(Added, (n) => n)],
  // @ts-expect-error -- an event among others that evolve does not know
  decide: () => [new Added(1), new Burnt('by accident')],
});

// @ts-expect-error -- evolve gives something else than the state
decider({ name: 'a', initial: () => 0, evolve: (on) => [on(Added, () => 'many')], decide: () => [] });

decider({
  name: 'a',
  initial: () => 0,
  // @ts-expect-error -- the event has no such property
  evolve: (on) => [on(Added, (n, { weight }) => n + weight)],
  decide: () => [],
});

// What refuses nothing has no refusal.
const counter = decider({
  name: 'counter',
  initial: () => 0,
  evolve: (on) => [on(Added, (n, { quantity }) => n + quantity)],
  decide: (quantity: number) => new Added(quantity),
});
void new Repository(broker, counter).decide('a', 1).then(({ refusal }) => refusal satisfies undefined);

@Aggregate('box')
class Box extends AggregateRoot {}
const boxes = new Repository(broker, Box) satisfies RepositoryOf<typeof Box>;

// @ts-expect-error -- a class decides by its methods
void boxes.decide('a', 1);
