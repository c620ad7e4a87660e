import { event } from './model.mjs';
import { inFlight } from './in-flight.mjs';

const WINDOW = 500;

/**
 * Streams of so many events each, which grow in turn as streams do.
 *
 * @param from number of the first stream
 */
export function fill(broker, { streams, length, from = 0 }) {
  return inFlight(WINDOW, streams * length, async (n) => {
    const id = String(from + (n % streams));
    const stream = `customer-${id}`;
    const { text } = await broker.messages.encode(event(n), { subject: stream, partitionkey: id });
    const partition = broker.partitionFor(id);
    const append = { kind: 'append', stream, category: 'customer', events: [text] };
    await broker.commit({ partition, guards: [], writes: [append] });
  });
}
