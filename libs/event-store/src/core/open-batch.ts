import type { Entry } from '@millrace/broker';
import { positionOf } from './stored-event.js';
import type { RowBuffer } from './row-buffer.js';

/** Events that are one commit at most while there are more to read, but for those of its last page. */
const EVENTS = 5_000;
/** As many rows: Redis does nothing else as long as it writes them. */
const ROWS = 1_000;
/** For so long a view stands still at most while it catches up, ms. */
const OPEN_MS = 250;

/** What pages were folded into that are not committed yet, as there are more behind them. */
export class OpenBatch {
  private readonly since = performance.now();

  /**
   * @param after position before its first event
   * @param last the last event that was taken
   */
  constructor(
    readonly rows: RowBuffer,
    private readonly after: number,
    public last: Entry,
  ) {}

  /** Position of the last event that was taken. */
  get position(): number {
    return positionOf(this.last);
  }

  /** Whether it is to be committed although there is more. */
  get isFull(): boolean {
    const { size } = this.rows.changes;
    return this.position - this.after >= EVENTS || size >= ROWS || performance.now() - this.since >= OPEN_MS;
  }
}
