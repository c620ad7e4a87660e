import type { Partition, Source } from './partition.js';

/** A message to come. */
export interface Timer {
  /** Where it is kept. */
  readonly partition: Partition;
  readonly id: string;
  /** ms since 1970 */
  readonly due: number;
  readonly message: string;
  /** The log that its message arrives in. */
  readonly to: Source;
  /** What whoever set it wants to know when it is listed or fired. */
  readonly note: string | undefined;
}

/** The order of timers: by due time and then by id. */
export function compareTimers(a: Pick<Timer, 'due' | 'id'>, b: Pick<Timer, 'due' | 'id'>): number {
  return a.due - b.due || Buffer.compare(Buffer.from(a.id), Buffer.from(b.id));
}
