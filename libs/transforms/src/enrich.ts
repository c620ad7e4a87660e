import { contractOf } from '@millrace/messages';
import type { Envelope, MessageClass } from '@millrace/messages';
import { checkFunctions } from './check-functions.js';
import type { Fields } from './fields.js';
import { checked, instanceOf, retyped } from './retype.js';
import type { WaitTransform } from './transform.js';

/** What has to be added to the data of A to make those of B; what both have may be replaced. */
export type Added<A, B> = Omit<Fields<B>, keyof Fields<A>> & Partial<Fields<B>>;

/**
 * Content Enricher: adds what the receiver needs and the sender did not know. It may wait, for a query or another
 * service; when that fails, the message is tried again like one whose handler failed. With one class for both, it
 * completes what is optional.
 *
 * @example
 * enrich(OrderPlaced, PackingSlip, async ({ customerId }) => ({ address: await addresses.of(customerId) }))
 */
export function enrich<A extends object, B extends object>(
  from: MessageClass<A>,
  to: MessageClass<B>,
  add: (data: A, message: Envelope) => Added<A, B> | Promise<Added<A, B>>,
): WaitTransform {
  const source = contractOf(from);
  const target = contractOf(to);
  const name = `enrich ${source.type} -> ${target.type}`;
  checkFunctions(name, { add });
  return {
    kind: 'enrich',
    shape: 'wait',
    name,
    from: [source.type],
    to: [target.type],
    contracts: [from, to],
    apply: async (message) => {
      const data = instanceOf(from, message);
      return retyped(message, target, checked(to, { ...data, ...(await add(data, message)) }));
    },
  };
}
