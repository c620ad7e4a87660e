import { contractOf } from '@millrace/messages';
import type { MessageClass } from '@millrace/messages';
import { checkFunctions } from './check-functions.js';
import type { Fields } from './fields.js';
import { caused, checked, instanceOf } from './retype.js';
import type { ExpandTransform } from './transform.js';

/**
 * Splitter: one message becomes several, which are written, or handled one after the other, in one commit. Each part
 * continues the correlation of the whole and names it as its cause; its id is that of the whole with its number.
 *
 * Parts that are events stay with the key of the whole, because one commit writes to one partition; commands go to the
 * key of their contract.
 *
 * @example
 * split(OrderPlaced, ShipLine, ({ orderId, lines }) => lines.map((line) => new ShipLine({ orderId, ...line })))
 */
export function split<A extends object, B extends object>(
  from: MessageClass<A>,
  to: MessageClass<B>,
  parts: (data: A) => readonly (B | Fields<B>)[],
): ExpandTransform {
  const source = contractOf(from);
  const target = contractOf(to);
  const name = `split ${source.type} -> ${target.type}`;
  checkFunctions(name, { parts });
  return {
    kind: 'split',
    shape: 'expand',
    name,
    from: [source.type],
    to: [target.type],
    contracts: [from, to],
    apply: (message) =>
      parts(instanceOf(from, message)).map((part, index) => ({
        message: caused(message, `${message.id}/${index + 1}`, target, checked(to, part)),
        kind: target.kind,
      })),
  };
}
