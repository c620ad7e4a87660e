import { refused } from '../call.js';
import type { Refused } from '../call.js';
import { saga } from '../dsl/saga.js';
import { OrderPlaced, PaymentCaptured, ReleaseStock, ReserveStock, StockReserved } from '../place-order.fixture.js';
import { Saga } from '../saga-class.js';
import { sagaByCall, sagaOf } from './saga-of.js';

interface Room {
  readonly id: string;
  readonly from: Date;
  open(): void;
}
declare const hotels: { book(): Promise<Room | Refused>; cancel(id: string | undefined): Promise<void> };

@Saga('child')
class Child {
  readonly definition = sagaByCall(async (_saga, { trip }: { trip: string }) => ({ trip, at: new Date(0) }));
}

sagaOf(
  OrderPlaced,
  async (saga, order) => {
    order.orderId satisfies string;
    // A step answers what JSON makes of its result, without a refusal.
    const room = await saga.step(
      'room',
      () => hotels.book(),
      (room) => hotels.cancel(room?.id),
    );
    room satisfies { readonly id: string; readonly from: string };
    // @ts-expect-error -- methods are not stored
    room.open();
    await saga.step(
      'other room',
      () => hotels.book(),
      // @ts-expect-error -- an undo may come without a result
      (room) => hotels.cancel(room.id),
    );
    // @ts-expect-error -- a big number cannot be stored
    (await saga.step('big', () => 1n)).toString();
    (await saga.step('nothing', () => undefined)) satisfies undefined;
    (await saga.step('both', () => (order.total > 1 ? refused('no') : 1))) satisfies number;

    // A command answers with its success replies.
    const reserved = await saga.send('stock', new ReserveStock('4711'), { undo: () => new ReleaseStock('4711') });
    reserved satisfies StockReserved;
    // @ts-expect-error -- PaymentCaptured answers another command
    reserved satisfies PaymentCaptured;
    // @ts-expect-error -- an event is no command
    await saga.send('stock', order);
    await saga.send('stock', new ReserveStock('4711'), {
      // @ts-expect-error -- a text is no command
      undo: (reply) => reply?.reservation,
      reason: ({ sku }) => sku,
    });

    // A child saga of code answers its output, one of nodes its state.
    const child = await saga.child('child', Child, { trip: '1' });
    child.output satisfies { trip: string; at: string } | undefined;
    // @ts-expect-error -- its input has a trip
    await saga.child('child', Child, { hotel: '1' });

    (await saga.waitFor('again', OrderPlaced, { accepts: ({ total }) => total > 1 })) satisfies OrderPlaced;
    // @ts-expect-error -- no length of time
    await saga.sleep('a while', 'soon');
    saga.turnRound('no');
  },
  { waitsFor: [OrderPlaced], sends: [ReserveStock] },
);

// What is said at the end is made of what the code has returned.
sagaOf(OrderPlaced, async (_saga, { total }) => ({ total })).onCompleted(({ input, output }) => {
  input.orderId satisfies string;
  return new StockReserved(String(output?.total));
});

// @ts-expect-error -- OrderPlaced has no such property
sagaOf(OrderPlaced, async (_saga, { hotel }) => hotel);

// @ts-expect-error -- code is asynchronous
sagaOf(OrderPlaced, (_saga, { total }) => total);

// A saga of nodes has a child of code.
saga<{ at?: string }>()
  .startsByCall(() => ({}))
  .child('child', Child, () => ({ trip: '1' }), {
    onCompleted: (state, child) => ({ ...state, ...(child.output ? { at: child.output.at } : {}) }),
  });
