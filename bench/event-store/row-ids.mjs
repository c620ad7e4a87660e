import { KEYS } from '../messages/payload.mjs';

/**
 * Which row an order counts in: one for all, or one of so many, a multiple of the order ids that there are.
 *
 * @returns {(orderId: string) => string}
 */
export function rowIds(rows) {
  if (rows === 1) return () => 'all';
  const ofEach = rows / KEYS;
  if (ofEach === 1) return (orderId) => orderId;
  let orders = 0;
  return (orderId) => `${orderId}-${orders++ % ofEach}`;
}
