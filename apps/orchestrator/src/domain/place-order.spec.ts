import { scenario } from '@millrace/saga';
import {
  OutOfStock,
  ReleaseStock,
  ReserveStock,
  StockLine,
  StockReleased,
  StockReserved,
} from '@shop/contracts/catalog';
import { Money } from '@shop/contracts/money';
import { ConfirmDone, ConfirmOrder, OrderLine, OrderPlaced, RejectDone, RejectOrder } from '@shop/contracts/order';
import {
  AuthorizePayment,
  CapturePayment,
  PaymentAuthorized,
  PaymentCaptured,
  PaymentDeclined,
  PaymentNotCaptured,
  PaymentUndone,
  RefundPayment,
  VoidPayment,
} from './payment-words.js';
import { PlaceOrder } from './place-order.js';

describe('placing an order', () => {
  const orderId = '6f1d2b4e-9a53-4c0b-8c55-0d7f6c1f2a11';
  const total = new Money(1980, 'EUR');
  const method = 'card-ok';
  const placed = new OrderPlaced({
    orderId,
    customerId: 'c1',
    lines: [new OrderLine('mug', 2, 990)],
    total,
    paymentMethod: method,
  });
  const reserve = new ReserveStock({ orderId, lines: [new StockLine('mug', 2)] });
  const authorize = new AuthorizePayment({ orderId, total, method });
  const start = () => scenario(PlaceOrder).given(placed).expect(reserve);
  const reserved = () => start().reply(new StockReserved({ orderId })).expect(authorize);
  const authorized = () => reserved().reply(new PaymentAuthorized({ orderId })).expect(new CapturePayment({ orderId }));

  it('reserves, authorizes, captures, and confirms', () => {
    authorized()
      .reply(new PaymentCaptured({ orderId }))
      .expect(new ConfirmOrder({ orderId }))
      .reply(new ConfirmDone({ orderId }))
      .ends('completed');
  });

  it('rejects the order when stock is short', () => {
    start()
      .reply(new OutOfStock({ orderId, reason: 'mug: 2 wanted, 1 available' }))
      .expect(new RejectOrder({ orderId, reason: 'mug: 2 wanted, 1 available' }))
      .reply(new RejectDone({ orderId }))
      .ends('compensated');
  });

  it('releases the stock when the card is declined', () => {
    reserved()
      .reply(new PaymentDeclined({ orderId, reason: 'card-declined' }))
      .expect(new ReleaseStock({ orderId }))
      .reply(new StockReleased({ orderId }))
      .expect(new RejectOrder({ orderId, reason: 'card-declined' }))
      .reply(new RejectDone({ orderId }))
      .ends('compensated');
  });

  it('voids the authorization and releases the stock when the payment cannot be captured', () => {
    authorized()
      .reply(new PaymentNotCaptured({ orderId, reason: 'closed' }))
      .expect(new VoidPayment({ orderId }))
      .reply(new PaymentUndone({ orderId }))
      .expect(new ReleaseStock({ orderId }))
      .reply(new StockReleased({ orderId }))
      .expect(new RejectOrder({ orderId, reason: 'closed' }))
      .reply(new RejectDone({ orderId }))
      .ends('compensated');
  });

  it('undoes everything in reverse when nobody knows whether the payment was captured', () => {
    authorized()
      .timesOut()
      .expect(new RefundPayment({ orderId }))
      .reply(new PaymentUndone({ orderId }))
      .expect(new VoidPayment({ orderId }))
      .reply(new PaymentUndone({ orderId }))
      .expect(new ReleaseStock({ orderId }))
      .reply(new StockReleased({ orderId }));
  });
});
