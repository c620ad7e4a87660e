import { event } from './model.mjs';

/** Appends so many events to the stream of a customer, `(id, expected version, number of the first)`: whether it was as expected. */
export function appendTo(broker, events) {
  return async (id, expected, first) => {
    const stream = `customer-${id}`;
    const messages = Array.from({ length: events }, (_, i) => event(first + i));
    const encoded = await Promise.all(
      messages.map((each) => broker.encode(each, { subject: stream, partitionkey: id })),
    );
    const { status } = await broker.commit({
      partition: broker.partitionFor(id),
      guards: [{ kind: 'version', stream, expected }],
      writes: [{ kind: 'append', stream, category: 'customer', events: encoded.map(({ text }) => text) }],
    });
    return status === 'committed';
  };
}
