import type { Partition } from './partition.js';
import type { Timer } from './timer.js';

/** Timers: messages that wait for their time. */
export interface TimerStore {
  /**
   * The timers that are due, up to `limit` of each partition, by due time and then by id; and when the next one is due (in
   * the past when `limit` left some over), undefined when none is set. Whoever fires one commits that: {@link firing}.
   *
   * @param after only those that stand behind this one, which need not be there any more
   */
  dueTimers(
    partitions: readonly Partition[],
    now: number,
    limit: number,
    after?: TimerPlace,
  ): Promise<{ readonly due: readonly Timer[]; readonly next: number | undefined }>;

  /** One timer, or undefined when none is set under this id. */
  readTimer(partition: Partition, id: string): Promise<Timer | undefined>;

  /**
   * Some of the timers whose ids begin with a prefix, in no particular order. Ask again with the cursor of the answer,
   * which may be an empty page, until it has none. A timer that is set all the while is listed at least once.
   *
   * @param page.limit about how many to look at
   */
  listTimers(partition: Partition, page: TimerQuery): Promise<TimerPage>;
}

/** Where a timer stands in the order of a partition: by due time and then by id. */
export interface TimerPlace {
  /** ms since 1970 */
  readonly due: number;
  readonly id: string;
}

export interface TimerQuery {
  readonly prefix: string;
  readonly limit: number;
  /** Of the page before. Default: the first page. */
  readonly cursor?: string;
}

export interface TimerPage {
  readonly timers: readonly Timer[];
  readonly cursor: string | undefined;
}
