import { Redis } from 'ioredis';
import { inFlight } from '../event-store/in-flight.mjs';
import { Latencies, now, paced } from '../messages/latency.mjs';
import { orderData } from '../messages/payload.mjs';

/** Places orders, each of which starts a saga, and hears how the sagas end. The same for both sides. */
export class Customer {
  #placed;
  #open = new Map();
  #latencies = new Latencies();

  /**
   * @param start `(order) => Promise`, resolves when the order is stored
   * @param expected how every saga has to end: `completed` or `compensated`; undefined where it is not told
   * @param first number of its first order
   */
  constructor(start, { expected, first = 0 }) {
    this.start = start;
    this.expected = expected;
    this.#placed = first;
  }

  /**
   * So many sagas from their order to their end: `inFlight` at a time, or with `perSecond` at that rate, however many that are.
   *
   * @returns how long they took, ms
   */
  async run({ sagas, inFlight: width, perSecond }) {
    if (perSecond) await paced(sagas, perSecond, (_, times) => Promise.all(times.map((time) => this.#place(time))));
    else await inFlight(width, sagas, () => this.#place(now()));
    return this.#latencies.take();
  }

  /** A saga has come to where it is waited for: usually its end. */
  ended(id, outcome) {
    const order = this.#open.get(id);
    if (!order) return;
    this.#open.delete(id);
    if (outcome !== this.expected) return order.reject(new Error(`saga ${id} is ${outcome}, not ${this.expected}`));
    this.#latencies.record(order.due);
    order.resolve();
  }

  #place(due) {
    const order = orderData(this.#placed++);
    return new Promise((resolve, reject) => {
      this.#open.set(order.orderId, { due, resolve, reject });
      this.start(order).catch(reject);
    });
  }
}

/**
 * Reads streams from their beginning, as they grow.
 *
 * @param take gets the text of each entry, which is its one field
 * @returns ends it
 */
export function watch(url, streams, take) {
  const redis = new Redis(url);
  const last = streams.map(() => '0');
  let over = false;
  const reading = (async () => {
    while (!over) {
      const reply = await redis.xread('COUNT', 200, 'BLOCK', 100, 'STREAMS', ...streams, ...last);
      for (const [stream, entries] of reply ?? []) {
        last[streams.indexOf(stream)] = entries.at(-1)[0];
        for (const [, [, text]] of entries) take(text);
      }
    }
    await redis.quit();
  })();
  return async () => {
    over = true;
    await reading;
  };
}
