import type { Envelope } from '@millrace/messages';
import { pipeline } from '@millrace/transforms';
import { fromPayment, toPayment } from './payment-boundary.js';

const message = (type: string, data: object): Envelope => ({
  specversion: '1.0',
  id: 'm-1',
  source: '/place-order',
  type,
  partitionkey: 'o-1',
  correlationid: 'o-1',
  replyto: 'place-order/0',
  data,
});

describe('the boundary to payment', () => {
  it.each([
    [
      'place-order.authorize-payment',
      { orderId: 'o-1', total: { amount: 1990, currency: 'EUR' }, method: 'card-ok' },
      'payment.authorize',
      { reference: 'o-1', amountMinor: 1990, ccy: 'EUR', method: 'card-ok' },
    ],
    ['place-order.capture-payment', { orderId: 'o-1' }, 'payment.capture', { reference: 'o-1' }],
    ['place-order.void-payment', { orderId: 'o-1' }, 'payment.void', { reference: 'o-1' }],
    ['place-order.refund-payment', { orderId: 'o-1' }, 'payment.refund', { reference: 'o-1' }],
  ])('says %s in the words of payment, to the same order', (ours, data, theirs, translated) => {
    const out = pipeline(toPayment)(message(ours, data));
    expect(JSON.parse(JSON.stringify(out))).toEqual({ ...message(ours, data), type: theirs, data: translated });
  });

  it.each([
    [
      'payment.authorized',
      { reference: 'o-1', authorization: 'a-7' },
      'place-order.payment-authorized',
      { orderId: 'o-1' },
      'success',
    ],
    [
      'payment.declined',
      { reference: 'o-1', code: 'limit' },
      'place-order.payment-declined',
      { orderId: 'o-1', reason: 'limit' },
      'failure',
    ],
    ['payment.captured', { reference: 'o-1' }, 'place-order.payment-captured', { orderId: 'o-1' }, 'success'],
    [
      'payment.capture-failed',
      { reference: 'o-1', code: 'expired' },
      'place-order.payment-not-captured',
      { orderId: 'o-1', reason: 'expired' },
      'failure',
    ],
    ['payment.voided', { reference: 'o-1' }, 'place-order.payment-undone', { orderId: 'o-1' }, 'success'],
    ['payment.refunded', { reference: 'o-1' }, 'place-order.payment-undone', { orderId: 'o-1' }, 'success'],
  ])('hears %s in its own words, as the same outcome', (theirs, data, ours, translated, outcome) => {
    const heard = pipeline(fromPayment)({ ...message(theirs, data), outcome: outcome as 'success' });
    expect(JSON.parse(JSON.stringify(heard))).toEqual({
      ...message(theirs, data),
      type: ours,
      outcome,
      data: translated,
    });
  });

  it('refuses money of no currency before it leaves', () => {
    const total = { amount: 1990, currency: 'euros' };
    const authorize = message('place-order.authorize-payment', { orderId: 'o-1', total, method: 'card-ok' });
    expect(() => pipeline(toPayment)(authorize)).toThrow(
      'translate place-order.authorize-payment -> payment.authorize',
    );
  });
});
