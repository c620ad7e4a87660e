import type { TimerWrite } from '../core/commit.js';
import type { Partition, Source } from '../core/partition.js';
import type { Timer } from '../core/timer.js';

interface Details {
  readonly to?: Source;
  readonly note?: string;
}

/** What the third key of timers keeps; undefined for the usual timer, whose message arrives where it is kept. */
export function timerDetails({ to, note }: TimerWrite): string | undefined {
  return to === undefined && note === undefined ? undefined : JSON.stringify({ to, note } satisfies Details);
}

/** Reads a timer as the scripts answer it: id, due time, message, details or null. */
export function toTimer(partition: Partition, [id, due, message, text]: readonly (string | null)[]): Timer {
  const { to, note }: Details = text ? (JSON.parse(text) as Details) : {};
  return {
    partition,
    id: id!,
    due: Number(due),
    message: message ?? '',
    to: to ?? { partition, log: 'in' },
    note,
  };
}
