import type { HistoryEntry, SagaInstance } from '../instance.js';

/** What a timeline is made of: an instance, with its whole history where that has pages. */
export type Told = Pick<SagaInstance, 'saga' | 'id' | 'status' | 'startedAt' | 'history'>;

/**
 * What happened in a saga, as text: a line for each entry of its history, with the time since its start.
 *
 * @example
 * sagaTimeline({ ...instance, history: await sagas.history(PlaceOrder, id) })
 */
export function sagaTimeline({ saga, id, status, startedAt, history }: Told): string {
  const times = history.map(({ at }) => since(at - startedAt));
  const [time, step] = [width(times), width(history.map((entry) => entry.step))];
  const lines = history.map((entry, i) =>
    `${times[i]!.padStart(time)}  ${entry.step.padEnd(step)}  ${saying(entry)}`.trimEnd(),
  );
  return [`${saga} ${id}: ${status}, started ${new Date(startedAt).toISOString()}`, ...lines, ''].join('\n');
}

function saying({ direction, what, times, reason, by, why }: HistoryEntry): string {
  const words = [direction === 'undo' ? `undo ${what}` : what];
  if (times > 1) words.push(`${times} times`);
  if (reason !== undefined) words.push(`(${reason})`);
  if (by !== undefined) words.push(`by ${by}: ${why}`);
  return words.join(' ').replace(/\s+/g, ' ');
}

function since(ms: number): string {
  return ms < 10_000 ? `+${ms} ms` : `+${(ms / 1000).toFixed(0)} s`;
}

function width(texts: readonly string[]): number {
  return Math.max(0, ...texts.map(({ length }) => length));
}
