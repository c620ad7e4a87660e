import type { Counter, Histogram, Meter } from '@opentelemetry/api';

/** On every span and figure. */
export const SYSTEM = { 'messaging.system': 'millrace' };

/** Seconds: from a handler that answers at once to one that waits for others. */
const DURATIONS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** The metrics of messages, by the semantic conventions where these have a name. */
export class Instruments {
  /** Messages published or sent, by `error.type` those that failed. */
  readonly sent: Counter;
  /** Messages handled, each attempt of one; by `error.type` those that failed. */
  readonly consumed: Counter;
  /** How long handlers take, s. */
  readonly duration: Histogram;
  readonly deadLetters: Counter;
  /** Messages that came again, by `millrace.cause`. */
  readonly redelivered: Counter;
  /** Commands that came after their effect had been undone. */
  readonly superseded: Counter;

  constructor(readonly meter: Meter) {
    this.sent = meter.createCounter('messaging.client.sent.messages', {
      unit: '{message}',
      description: 'Messages published or sent',
    });
    this.consumed = meter.createCounter('messaging.client.consumed.messages', {
      unit: '{message}',
      description: 'Attempts to handle a message; those that failed have an error.type',
    });
    this.duration = meter.createHistogram('messaging.process.duration', {
      unit: 's',
      description: 'Time from the begin of a handler to its end',
      advice: { explicitBucketBoundaries: DURATIONS },
    });
    this.deadLetters = meter.createCounter('millrace.dead_letters', {
      unit: '{message}',
      description: 'Messages that have been given up',
    });
    this.redelivered = meter.createCounter('millrace.redelivered', {
      unit: '{message}',
      description: 'Messages that came again, by millrace.cause',
    });
    this.superseded = meter.createCounter('millrace.superseded', {
      unit: '{message}',
      description: 'Commands that were not handled, because their effect had been undone',
    });
  }
}
