import { contractOf } from '@millrace/messages';
import type { MessageClass } from '@millrace/messages';
import { checkFunctions } from './check-functions.js';
import type { Fields, NoOther } from './fields.js';
import { caused, checked, instanceOf } from './retype.js';
import { TransformDeclarationError } from './transform-error.js';
import type { ExpandTransform } from './transform.js';

/**
 * Wire Tap: the message goes on as it is, and a second one is made of it for whoever watches: a command to the context
 * that its type names, or an event of this context. It is written in the same commit, so what was tapped has happened.
 *
 * @example
 * wireTap(PaymentTaken, audit.Note, ({ orderId }) => ({ text: `paid ${orderId}` }))
 * @throws TransformDeclarationError when the tap is a reply, or of the same type
 */
export function wireTap<A extends object, B extends object, R extends Fields<B>>(
  from: MessageClass<A>,
  to: MessageClass<B>,
  map: (data: A) => R & NoOther<R, B>,
): ExpandTransform {
  const source = contractOf(from);
  const target = contractOf(to);
  const name = `wire-tap ${source.type} -> ${target.type}`;
  if (target.kind === 'reply') {
    throw new TransformDeclarationError(
      `'${name}': nobody asked for the reply ${target.type}; tap an event or a command`,
    );
  }
  if (target.type === source.type) {
    throw new TransformDeclarationError(`'${name}': nobody could tell the tap from the message; give it its own type`);
  }
  checkFunctions(name, { map });
  return {
    kind: 'wire-tap',
    shape: 'expand',
    name,
    from: [source.type],
    to: [source.type, target.type],
    contracts: [from, to],
    apply: (message) => {
      const data = instanceOf(from, message);
      const tap = caused(message, `${message.id}/tap`, target, checked(to, map(data)));
      return [{ message: { ...message, data } }, { message: tap, kind: target.kind, tapped: true }];
    },
  };
}
