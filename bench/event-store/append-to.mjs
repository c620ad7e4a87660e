import { EventStore } from '@millrace/event-store';
import { OrderPlaced } from '../messages/contract.mjs';
import { event } from './model.mjs';

/** Appends so many events to the stream of a customer, `(id, expected version, number of the first)`: whether it was as expected. */
export function appendTo(broker, events, chain = false) {
  const store = new EventStore(broker, [OrderPlaced], chain ? { chain } : {});
  return async (id, expected, first) => {
    const messages = Array.from({ length: events }, (_, i) => event(first + i));
    const { status } = await store.append(`customer-${id}`, messages, { expected });
    return status === 'appended';
  };
}
