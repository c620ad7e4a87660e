import {
  CapturePayment,
  ConfirmOrder,
  OrderConfirmed,
  OrderPlaced,
  OutOfStock,
  PaymentCaptured,
  PaymentDeclined,
  ReleaseStock,
  ReserveStock,
  StockReserved,
} from '../place-order.fixture.js';
import { Command, Reply } from '@millrace/messages';
import { refused } from '../call.js';
import { saga } from './saga.js';

interface State {
  orderId: string;
  reservation?: string;
}

const start = saga<State>().startsOn(OrderPlaced, ({ orderId }) => ({ orderId }));
const reserve = ({ orderId }: State) => new ReserveStock(orderId);

// A step whose replies all have handlers compiles, in any order of what is said about it.
start.step('reserve stock', (s) =>
  s.sends(reserve).within('10s').failsOn(OutOfStock).retries(3).onReply(StockReserved),
);

// @ts-expect-error -- the success is not handled
start.step('reserve stock', (s) => s.sends(reserve).failsOn(OutOfStock));

// @ts-expect-error -- the refusal is not handled
start.step('reserve stock', (s) => s.sends(reserve).onReply(StockReserved).compensates(reserve).within('10s'));

// @ts-expect-error -- nothing is sent
start.step('reserve stock', (s) => s);

// @ts-expect-error -- the step is not returned
start.step('reserve stock', (s) => void s.sends(reserve).onReply(StockReserved).failsOn(OutOfStock));

// @ts-expect-error -- PaymentCaptured answers another command
start.step('reserve stock', (s) => s.sends(reserve).onReply(PaymentCaptured).failsOn(OutOfStock));

// @ts-expect-error -- PaymentDeclined answers another command
start.step('reserve stock', (s) => s.sends(reserve).onReply(StockReserved).failsOn(PaymentDeclined));

// @ts-expect-error -- a success cannot refuse
start.step('reserve stock', (s) => s.sends(reserve).failsOn(StockReserved).failsOn(OutOfStock));

// @ts-expect-error -- a refusal is no success
start.step('reserve stock', (s) => s.sends(reserve).onReply(OutOfStock).onReply(StockReserved));

// @ts-expect-error -- the same reply twice
start.step('reserve stock', (s) => s.sends(reserve).onReply(StockReserved).onReply(StockReserved).failsOn(OutOfStock));

start.step('reserve stock', (s) =>
  s
    .sends(reserve)
    // @ts-expect-error -- a number is no reservation
    .onReply(StockReserved, (state) => ({ ...state, reservation: 1 }))
    .failsOn(OutOfStock),
);

start.step('reserve stock', (s) =>
  s
    .sends(reserve)
    // @ts-expect-error -- the reply has no such field
    .onReply(StockReserved, (state, reply) => ({ ...state, reservation: reply.sku }))
    // @ts-expect-error -- the reason is a text
    .failsOn(OutOfStock, (_, reply) => reply),
);

start.step('reserve', (s) =>
  s
    // @ts-expect-error -- the state has no such field
    .sends(({ customer }) => new ReserveStock(customer))
    .onReply(StockReserved)
    .failsOn(OutOfStock),
);

// @ts-expect-error -- an event is not sent
start.step('reserve stock', (s) => s.sends(({ orderId }) => new OrderPlaced(orderId, 1)));

start.step('reserve', (s) =>
  s
    .sends(reserve)
    .onReply(StockReserved)
    .failsOn(OutOfStock)
    // @ts-expect-error -- an undo is a command
    .compensates(() => 'undo'),
);

// @ts-expect-error -- no unit of time
start.step('reserve stock', (s) => s.sends(reserve).onReply(StockReserved).failsOn(OutOfStock).within('10 sheep'));

// @ts-expect-error -- before the pivot a step may be given up
start.step('reserve stock', (s) => s.sends(reserve).onReply(StockReserved).failsOn(OutOfStock).untilDone());

// @ts-expect-error -- the first state has another type
saga<State>().startsOn(OrderPlaced, ({ total }) => ({ total }));

// @ts-expect-error -- the event has no such field
saga<State>().startsOn(OrderPlaced, ({ orderId }) => ({ orderId }), { id: (event) => event.customer });

const forward = start.pivot();
const confirm = ({ orderId }: State) => new ConfirmOrder(orderId, 'card');

// After the pivot no reply needs a handler, and a success may have one.
forward.step('confirm order', (s) => s.sends(confirm).untilDone());
forward.step('confirm order', (s) =>
  s
    .sends(confirm)
    .onReply(OrderConfirmed, (state) => state)
    .within(1)
    .untilDone(),
);

// @ts-expect-error -- a step after the pivot ends with .untilDone()
forward.step('confirm order', (s) => s.sends(confirm).onReply(OrderConfirmed));

forward.step('confirm order', (s) =>
  s
    .sends(confirm)
    // @ts-expect-error -- compensation after the pivot
    .compensates(() => new ReleaseStock('1'))
    .untilDone(),
);

forward.step('capture', (s) =>
  s
    .sends(() => new CapturePayment('1', 1))
    // @ts-expect-error -- refusal after the pivot
    .failsOn(PaymentDeclined)
    .untilDone(),
);

// @ts-expect-error -- nothing follows onCompensated
start.onCompensated(() => new ReleaseStock('1')).step('reserve stock', (s) => s);

// @ts-expect-error -- one pivot
forward.pivot();

// A command with several replies of each kind needs a handler for each of them.
@Reply('catalog.partly-reserved')
class PartlyReserved {
  reservation!: string;
  missing!: number;
}
@Reply('catalog.discontinued', { failure: true })
class Discontinued {
  sku!: string;
  since!: string;
}
@Command('catalog.reserve-some')
class ReserveSome extends Command<StockReserved | PartlyReserved, OutOfStock | Discontinued> {}

start.step('reserve some', (s) =>
  s
    .sends(() => new ReserveSome())
    .onReply(StockReserved)
    .onReply(PartlyReserved)
    .failsOn(OutOfStock)
    .failsOn(Discontinued),
);

// PartlyReserved has every field of StockReserved, and is still not handled by its handler.
start.step('reserve some', (s) =>
  // @ts-expect-error -- PartlyReserved and Discontinued are not handled
  s
    .sends(() => new ReserveSome())
    .onReply(StockReserved)
    .failsOn(OutOfStock),
);

// ── nodes ───────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Tour {
  readonly tour: string;
  readonly stops: readonly { readonly city: string }[];
  readonly by: 'rail' | 'road';
  readonly won?: 'north' | 'south';
}
const tour = saga<Tour>().startsByCall((input: Tour) => input);

// A branch for every name that can be chosen, and the item of the innermost list, inferred.
tour
  .choose('travel', ({ by }) => by, { rail: (b) => b.sleep('wait for the train', '10m'), road: (b) => b })
  .each(
    'stops',
    ({ stops }) => stops,
    (b) =>
      b.when(
        'far',
        (_, { city }) => city.length > 4,
        (far) => far.step('drive', (s) => s.calls((_, { item }) => item.city.length)),
      ),
  )
  .parallel(
    'fly',
    { north: (b) => b, south: (b) => b },
    { join: 'any', onJoined: (state, [won]) => ({ ...state, won }) },
  )
  .waitFor('payment', OrderPlaced, { onEvent: (state, { orderId }) => ({ ...state, tour: orderId }) });

// @ts-expect-error -- no branch for 'road'
tour.choose('travel', ({ by }) => by, { rail: (b) => b });

// @ts-expect-error -- 'ship' is never chosen
tour.choose('travel', ({ by }) => by, { rail: (b) => b, road: (b) => b, ship: (b) => b });

// @ts-expect-error -- the branch is not returned
tour.parallel('fly', { north: (b) => void b.sleep('s', 1) });

tour.parallel(
  'fly',
  { east: (b) => b, west: (b) => b },
  // @ts-expect-error -- no state has 'east' or 'west' for a winner
  { join: 'any', onJoined: (state, [won]) => ({ ...state, won }) },
);

tour.when(
  'early',
  () => true,
  // @ts-expect-error -- the step in the branch is not finished: nothing handles its replies
  (b) => b.step('reserve', (s) => s.sends(() => new ReserveStock('1'))),
);

tour.each(
  'stops',
  ({ stops }) => stops,
  (b) =>
    b.step('drive', (s) =>
      s
        // @ts-expect-error -- an item has no such field
        .sends((_, { name }) => new ReserveStock(name))
        .onReply(StockReserved)
        .failsOn(OutOfStock),
    ),
);

tour.each(
  'stops',
  // @ts-expect-error -- a tour is no list
  (state) => state,
  (b) => b,
);

tour.step('reserve', (s) =>
  s
    .calls(() => 'r1')
    // @ts-expect-error -- the function answers a text
    .onResult((state, result) => ({ ...state, stops: result })),
);

// What a function refuses is no result.
tour.step('reserve', (s) =>
  s
    .calls(({ tour }) => (tour === '' ? refused('no tour') : tour))
    .onResult((state, result) => ({ ...state, tour: result })),
);

class Visit {
  readonly definition = saga<{ city: string; seen: number }>().startsByCall(({ city }: { city: string }) => ({
    city,
    seen: 0,
  }));
}

tour.child('visit', Visit, ({ tour: city }) => ({ city }), {
  onCompleted: (state, { seen }) => ({ ...state, tour: String(seen) }),
});

// @ts-expect-error -- the child is started with a city
tour.child('visit', Visit, ({ tour: name }) => ({ name }));

tour.child('visit', Visit, ({ tour: city }) => ({ city }), {
  // @ts-expect-error -- the state of the child has no such field
  onCompleted: (state, { cost }) => ({ ...state, tour: cost }),
});

// @ts-expect-error -- no length of time
tour.sleep('rest', '10 sheep');

// @ts-expect-error -- the event has no such field
tour.waitFor('payment', OrderPlaced, { accepts: (_, { customer }) => customer === 'ann' });

// @ts-expect-error -- a lock is a text
tour.lock('lock', ({ stops }) => stops);

const ahead = tour.pivot();

// Also in branches, a step after the pivot ends with .untilDone().
ahead.when(
  'late',
  () => true,
  (b) => b.step('pack', (s) => s.calls(() => 1).untilDone()),
);

ahead.when(
  'late',
  () => true,
  // @ts-expect-error -- it may be given up
  (b) => b.step('pack', (s) => s.calls(() => 1)),
);

ahead.parallel('late', {
  x: (b) =>
    b.step('pack', (s) =>
      s
        .calls(() => 1)
        // @ts-expect-error -- compensation after the pivot, in a branch
        .compensates(() => 2)
        .untilDone(),
    ),
});

// @ts-expect-error -- after the pivot all branches are done
ahead.parallel('late', { x: (b) => b }, { join: 'any' });

// @ts-expect-error -- after the pivot a wait turns nothing round
ahead.waitFor('payment', OrderPlaced, { within: '1m' });

// @ts-expect-error -- a child may be refused, so it stands before the pivot
ahead.child('visit', Visit, ({ tour: city }) => ({ city }));
