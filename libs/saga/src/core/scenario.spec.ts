import {
  CapturePayment,
  CheckCredit,
  ConfirmOrder,
  CreditChecked,
  NotRefundable,
  OrderConfirmed,
  OrderPlaced,
  OrderRejected,
  OutOfStock,
  PaymentCaptured,
  PaymentDeclined,
  placeOrder,
  RefundPayment,
  RejectOrder,
  ReleaseStock,
  ReserveStock,
  StockReleased,
  StockReserved,
} from './place-order.fixture.js';
import { scenario } from './scenario.js';

const placed = () => scenario(placeOrder).given(new OrderPlaced('4711', 990));
const paying = () =>
  placed()
    .expect(new ReserveStock('4711'))
    .reply(new StockReserved('r1'))
    .expect(new CheckCredit('4711', 990))
    .reply(new CreditChecked('A'))
    .expect(new CapturePayment('4711', 990));

describe('the place-order saga', () => {
  it('completes when every step succeeds', () => {
    const { state } = paying()
      .reply(new PaymentCaptured('p1'))
      .expect(new ConfirmOrder('4711', 'p1'))
      .timesOut()
      .expect(new ConfirmOrder('4711', 'p1'))
      .reply(new OrderConfirmed(1))
      .ends('completed');

    expect(state).toEqual({ orderId: '4711', total: 990, reservation: 'r1', payment: 'p1' });
  });

  it('releases the stock when payment is declined', () => {
    paying()
      .reply(new PaymentDeclined('expired'))
      .expect(new ReleaseStock('4711'))
      .reply(new StockReleased('4711'))
      .expect(new RejectOrder('4711', 'payment.declined'))
      .reply(new OrderRejected('4711'))
      .ends('compensated');
  });

  it('parks when a payment that may have happened cannot be refunded', () => {
    paying()
      .timesOut()
      .expect(new RefundPayment('4711'))
      .reply(new NotRefundable('too soon'))
      .expect(new RefundPayment('4711'))
      .timesOut()
      .expect(new RefundPayment('4711'))
      .reply(new NotRefundable('account closed'))
      .parks();
  });
});

describe('a scenario fails with the difference', () => {
  const mistakes: readonly (readonly [string, RegExp, () => unknown])[] = [
    [
      'another command',
      /\+ {3}orderId: '4711'[^]*- {3}orderId: '4712'/,
      () => placed().expect(new ReserveStock('4712')),
    ],
    ['the same data of another class', /- ReleaseStock/, () => placed().expect(new ReleaseStock('4711'))],
    ['a command after the last', /should send .*waits for an answer/s, () => paying().expect(new RefundPayment('1'))],
    ['an end too early', /should be completed here, but it waits/, () => paying().ends('completed')],
    ['another end', /should be parked here, but it sends RejectOrder/, () => rejecting().parks()],
    ['a reply before its command', /first expect/, () => placed().reply(new StockReserved('r1'))],
    // @ts-expect-error -- the compiler knows it, too
    ['a reply that the step does not know', /ignores this/, () => paying().reply(new StockReserved('r1'))],
    ['nothing that started it', /has not been given its event/, () => scenario(placeOrder).timesOut()],
    ['another event', /starts on order.placed/, () => scenario(placeOrder).given(new OutOfStock('tea'))],
    ['a second event', /a second event/, () => placed().given(new OrderPlaced('4712', 1))],
  ];
  const rejecting = () => placed().expect(new ReserveStock('4711')).reply(new OutOfStock('tea'));

  it.each(mistakes)('%s', (_, message, play) => expect(play).toThrow(message));

  it('at the line of the script that does not hold', () => {
    const line = () => placed().expect(new ReleaseStock('4711'));

    expect(line).toThrow(expect.objectContaining({ stack: expect.stringMatching(/\}\n {4}at .*scenario\.spec/) }));
  });
});
