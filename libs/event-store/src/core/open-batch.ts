import type { Entry } from '@millrace/broker';
import { positionOf } from './stored-event.js';
import type { RowBuffer } from './row-buffer.js';

/** Rows that are one commit at most, but for those of its last page: writing them keeps Redis from all else for about 2 ms. */
const ROWS = 2_000;
/** For so long a view stands still at most while it catches up, ms. */
const OPEN_MS = 250;
/** And while it is built of what happened before it began: rows that many events change are written once for all of them. */
const REPLAY_MS = 1_000;

/** What pages were folded into that are not committed yet, as there are more behind them. */
export class OpenBatch {
  private readonly since = performance.now();

  /**
   * @param last the last event that was taken
   * @param replays whether it happened before the build began
   */
  constructor(
    readonly rows: RowBuffer,
    public last: Entry,
    private readonly replays: boolean,
  ) {}

  /** Position of the last event that was taken. */
  get position(): number {
    return positionOf(this.last);
  }

  /** Whether it is to be committed although there is more. */
  get isFull(): boolean {
    if (this.rows.changes.size >= ROWS) return true;
    return performance.now() - this.since >= (this.replays ? REPLAY_MS : OPEN_MS);
  }
}
