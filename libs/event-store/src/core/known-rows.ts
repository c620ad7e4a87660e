import type { PersonalRows, RowWrite } from './personal-rows.js';
import type { RowChanges } from './row-buffer.js';

/** Rows that are kept in memory from one commit to the next. */
const MOST = 5_000;

/**
 * Rows of one build on one partition as they stand in the store, where nobody else writes them as long as no commit is
 * refused. Rows with personal data are kept as they are stored, encrypted.
 */
export class KnownRows {
  private readonly rows = new Map<string, unknown>();
  /** Whether these are all rows there are, so that none that is not among them need be asked for. */
  private complete = false;

  constructor(
    private readonly build: string,
    private readonly personal: PersonalRows,
    private readonly read: (id: string) => Promise<string | undefined>,
  ) {}

  /** @param none the build has no rows yet */
  forget(none = false): void {
    this.rows.clear();
    this.complete = none;
  }

  /** A row that nobody may change; undefined: there is none. A promise where it has to be waited for. */
  readonly get = (id: string): unknown => {
    const row = this.rows.get(id);
    if (row !== undefined || this.complete || this.rows.has(id)) return this.opened(id, row);
    return this.read(id).then((text) => {
      const stored: unknown = text === undefined || this.personal.some ? text : JSON.parse(text);
      this.rows.set(id, stored);
      return this.opened(id, stored);
    });
  };

  /** What has been committed. */
  learn(changes: RowChanges, written: readonly RowWrite[]): void {
    if (this.personal.some) for (const { id, value } of written) this.rows.set(id, value ?? undefined);
    else for (const [id, change] of changes) this.rows.set(id, change?.row);
    if (this.rows.size > MOST) this.forget();
  }

  private opened(id: string, stored: unknown): unknown {
    if (stored === undefined || !this.personal.some) return stored;
    return Promise.resolve(this.personal.open(this.build, id, stored as string)).then(
      (text) => JSON.parse(text) as unknown,
    );
  }
}
