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
