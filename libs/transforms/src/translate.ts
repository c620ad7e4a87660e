import { contractOf } from '@millrace/messages';
import type { MessageClass } from '@millrace/messages';
import { checkFunctions } from './check-functions.js';
import type { Fields, NoOther } from './fields.js';
import { checked, instanceOf, retyped } from './retype.js';
import type { MapTransform } from './transform.js';

/**
 * Message Translator: one context's words into another's. The result is validated by its contract, whose key it gets
 * unless the message has one.
 *
 * @example
 * translate(TakePayment, payment.Authorize, ({ orderId, total }) =>
 *   ({ reference: orderId, amountMinor: total.amount, ccy: total.currency }))
 */
export function translate<A extends object, B extends object, R extends Fields<B>>(
  from: MessageClass<A>,
  to: MessageClass<B>,
  map: (data: A) => R & NoOther<R, B>,
): MapTransform {
  const source = contractOf(from);
  const target = contractOf(to);
  const name = `translate ${source.type} -> ${target.type}`;
  checkFunctions(name, { map });
  return {
    kind: 'translate',
    shape: 'map',
    name,
    from: [source.type],
    to: [target.type],
    contracts: [from, to],
    apply: (message) => retyped(message, target, checked(to, map(instanceOf(from, message)))),
  };
}
