import { Customer } from './customer.mjs';
import { words } from './order.mjs';

/** The bodies of the three steps, and of what undoes two of them: what a participant would have answered. */
export const LOCAL = {
  reserveStock: async (order) => words.stockReserved(order),
  releaseStock: async () => words.nothing(),
  takePayment: async (order) => words.paymentTaken(order),
  refundPayment: async () => words.nothing(),
  bookDelivery: async (order) => words.deliveryBooked(order),
};

/** @param run `(order) => Promise`, of how its saga has ended: `completed` or `compensated` */
export function localCustomer(setting, run) {
  const customer = new Customer(async (order) => customer.ended(order.orderId, await run(order)), setting);
  return customer;
}
