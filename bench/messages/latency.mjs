import { setTimeout as sleep } from 'node:timers/promises';
import { createHistogram } from 'node:perf_hooks';

/** Microseconds of a clock that all processes of this machine share. */
export function now() {
  return Number(process.hrtime.bigint() / 1000n);
}

/**
 * An open loop: sends at its times whether or not earlier messages have arrived, and a late one counts from when it should
 * have been sent (coordinated omission, Tene).
 *
 * @param {(from: number, times: number[]) => Promise<unknown>} sendDue sends messages `from` on, one per time
 */
export async function paced(messages, perSecond, sendDue) {
  const begin = now();
  const underway = [];
  for (let sent = 0; sent < messages; await sleep(1)) {
    const due = Math.min(messages, Math.floor(((now() - begin) / 1e6) * perSecond));
    if (due === sent) continue;
    const times = Array.from({ length: due - sent }, (_, i) => Math.round(begin + ((sent + i) / perSecond) * 1e6));
    underway.push(sendDue(sent, times));
    sent = due;
  }
  await Promise.all(underway);
}

/** How long messages took from the time at which they should have been sent, which is their note. */
export class Latencies {
  #histogram = createHistogram({ lowest: 1, highest: 60_000_000, figures: 3 });

  record(note) {
    this.#histogram.record(Math.max(1, now() - Number.parseInt(note, 10)));
  }

  /** Milliseconds. Begins anew. */
  take() {
    const at = (percentile) => this.#histogram.percentile(percentile) / 1000;
    const figures = { p50: at(50), p99: at(99), p999: at(99.9), max: this.#histogram.max / 1000 };
    this.#histogram.reset();
    return figures;
  }
}
