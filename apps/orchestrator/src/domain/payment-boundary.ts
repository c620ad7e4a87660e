import { translate } from '@millrace/transforms';
import * as payment from '@shop/contracts/payment';
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

/** Orders become references, money becomes minor units: on the way out. */
export const toPayment = [
  translate(AuthorizePayment, payment.Authorize, ({ orderId, total, method }) => ({
    reference: orderId,
    amountMinor: total.amount,
    ccy: total.currency,
    method,
  })),
  translate(CapturePayment, payment.Capture, ({ orderId }) => ({ reference: orderId })),
  translate(VoidPayment, payment.Void, ({ orderId }) => ({ reference: orderId })),
  translate(RefundPayment, payment.Refund, ({ orderId }) => ({ reference: orderId })),
];

/** References become orders again, and codes reasons: on the way in. */
export const fromPayment = [
  translate(payment.Authorized, PaymentAuthorized, ({ reference }) => ({ orderId: reference })),
  translate(payment.Declined, PaymentDeclined, ({ reference, code }) => ({ orderId: reference, reason: code })),
  translate(payment.Captured, PaymentCaptured, ({ reference }) => ({ orderId: reference })),
  translate(payment.CaptureFailed, PaymentNotCaptured, ({ reference, code }) => ({ orderId: reference, reason: code })),
  translate(payment.Voided, PaymentUndone, ({ reference }) => ({ orderId: reference })),
  translate(payment.Refunded, PaymentUndone, ({ reference }) => ({ orderId: reference })),
];
