import 'reflect-metadata';
import { Broker, RedisPartitionStore } from '@millrace/broker';
import { Aggregate, Apply, Projection, Projects } from '@millrace/event-store';
import { OrderPlaced, orderPlaced } from '../messages/contract.mjs';
import { KEYS, orderData } from '../messages/payload.mjs';
import { rowIds } from './row-ids.mjs';

/** A service without Nest: its own namespace in the private Redis. */
export async function openBroker({ url, namespace, partitions = 4 }) {
  const store = await RedisPartitionStore.connect({ url, namespace });
  const broker = new Broker(store, { context: 'bench', partitions, validate: false });
  await broker.declare();
  return broker;
}

/** Aggregates are customers here: what they have ordered. */
export class Customer {
  orders = 0;
  total = 0;

  ordered(event) {
    this.orders++;
    this.total += event.total;
  }
}
decorate(Customer, 'ordered', Apply(OrderPlaced));
Aggregate('customer')(Customer);

/**
 * A projection that nobody has run yet: number and total of the orders of each key.
 *
 * @param rows 1: all orders count in one row of each partition; else so many rows
 */
export function freshProjection(name, rows) {
  const rowOf = rowIds(rows);
  class Totals {
    placed(event, view) {
      return view.update(rowOf(event.orderId), (row) => ({
        orders: (row?.orders ?? 0) + 1,
        total: (row?.total ?? 0) + event.total,
      }));
    }
  }
  decorate(Totals, 'placed', Projects(OrderPlaced));
  Projection(name)(Totals);
  return Totals;
}

/** The n-th event, 300 bytes of JSON. */
export function event(n) {
  return orderPlaced(orderData(n % KEYS));
}

/** What TypeScript does for `@decorator method() {}`. */
export function decorate(target, method, decorator) {
  decorator(target.prototype, method, Object.getOwnPropertyDescriptor(target.prototype, method));
}
