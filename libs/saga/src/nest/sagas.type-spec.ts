import { sagaByCall } from '../core/code/saga-of.js';
import { saga } from '../core/dsl/saga.js';
import { OrderPlaced } from '../core/place-order.fixture.js';
import { Saga } from '../core/saga-class.js';
import type { Sagas } from './sagas.js';

interface Order {
  readonly orderId: string;
  readonly total: number;
}

@Saga('buy')
class Buy {
  readonly definition = saga<Order>()
    .startsOn(OrderPlaced, ({ orderId, total }) => ({ orderId, total }))
    .step('note', (s) => s.calls(() => undefined));
}

@Saga('count')
class Count {
  readonly definition = sagaByCall(async (_saga, { words }: { words: string[] }) => ({ words: words.length }));
}

class NoSaga {
  readonly total = 1;
}

declare const sagas: Sagas;
const decision = { by: 'ann', reason: 'asked' };

// An instance has the state of its class.
(await sagas.find(Buy, '4711'))?.state.total satisfies number | undefined;
// @ts-expect-error -- there is no such property
void (await sagas.find(Buy, '4711'))?.state.price;
(await sagas.find(Count, '1'))?.state.output?.words satisfies number | undefined;
// By name nothing is known, unless it is said.
(await sagas.find('buy', '4711'))?.state satisfies unknown;
(await sagas.find<Order>('buy', '4711'))?.state.total satisfies number | undefined;

// What starts it.
await sagas.start(Buy, new OrderPlaced('4711', 990));
await sagas.start(Count, { words: ['a'] });
// @ts-expect-error -- a number of words
await sagas.start(Count, { words: 1 });
// @ts-expect-error -- another message
await sagas.start(Buy, { words: [] });
// @ts-expect-error -- a saga is started by its class
await sagas.start('buy', new OrderPlaced('4711', 990));

// What is no saga.
// @ts-expect-error -- it has no definition
await sagas.find(NoSaga, '1');
// @ts-expect-error -- so with lists
await sagas.list({ saga: NoSaga });
// @ts-expect-error -- and counts
await sagas.count(NoSaga);
// @ts-expect-error -- and decisions
await sagas.cancel(NoSaga, '1', decision);

// Lists and past states.
(await sagas.list({ saga: Buy, status: 'parked' })).sagas[0]?.state.total satisfies number | undefined;
(await sagas.list({ status: 'parked' })).sagas[0]?.state satisfies unknown;
(await sagas.list<Order>({ saga: 'buy' })).sagas[0]?.state.total satisfies number | undefined;
(await sagas.stateAt(Buy, '4711', new Date()))?.total satisfies number | undefined;
(await sagas.count(Buy)).running satisfies number;
// @ts-expect-error -- there is no such status
await sagas.list({ status: 'lost' });
// @ts-expect-error -- a text is no moment
await sagas.stateAt(Buy, '4711', 'yesterday');
// @ts-expect-error -- before when?
await sagas.due({});

// Decisions say who and why, and set a state of the saga only.
await sagas.resolve(Buy, '4711', { ...decision, state: { orderId: '4711', total: 1 } });
// @ts-expect-error -- no state of it
await sagas.resolve(Buy, '4711', { ...decision, state: { orderId: '4711' } });
await sagas.resolve('buy', '4711', { ...decision, state: { any: 'thing' } });
// @ts-expect-error -- nobody says why
await sagas.skip(Buy, '4711', { by: 'ann' });
// @ts-expect-error -- a deadline is a date
await sagas.moveDeadline(Buy, '4711', 17, decision);

// A migration makes the new state of the old one.
const plan = { ...decision, from: 1, to: 2 };
await sagas.migrate(Buy, { ...plan, state: (old: { orderId: string }) => ({ ...old, total: 0 }) });
// @ts-expect-error -- not a state of the saga
await sagas.migrate(Buy, { ...plan, state: (old: { orderId: string }) => old });
