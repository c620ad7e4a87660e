import { contractOf } from '@millrace/messages';
import type { Envelope, MessageClass } from '@millrace/messages';
import { checkFunctions } from './check-functions.js';
import { instanceOf } from './retype.js';
import type { ExpandTransform } from './transform.js';

/**
 * Message Filter: what the predicate refuses goes no further. Inbound it is acknowledged and counted, no dead letter;
 * outbound it is not written.
 *
 * @example
 * filter(StockLow, ({ left }) => left > 0)
 */
export function filter<T extends object>(
  contract: MessageClass<T>,
  accepts: (data: T, message: Envelope) => boolean,
): ExpandTransform {
  const { type } = contractOf(contract);
  const name = `filter ${type}`;
  checkFunctions(name, { accepts });
  return {
    kind: 'filter',
    shape: 'expand',
    name,
    from: [type],
    to: [type],
    contracts: [contract],
    apply: (message) => {
      const data = instanceOf(contract, message);
      return accepts(data, message) ? [{ message: { ...message, data } }] : [];
    },
  };
}
