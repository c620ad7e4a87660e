import { IdFilter } from './id-filter.js';
import type { PersonalRows, RowWrite } from './personal-rows.js';
import type { RowChanges } from './row-buffer.js';

/** So many rows stay in memory that were used last, and up to as many that were used before them. */
const RECENT = 5_000;

/**
 * Rows of one build on one partition as they stand in the store, where nobody else writes them as long as no commit is
 * refused. Rows with personal data are kept as they are stored, encrypted.
 */
export class KnownRows {
  private recent = new Map<string, unknown>();
  private older = new Map<string, unknown>();
  /** The build began without rows, so that there are those that are here, and those that were here and had to go. */
  private fromNothing = false;
  private gone: IdFilter | undefined;

  constructor(
    private readonly build: string,
    private readonly personal: PersonalRows,
    private readonly read: (id: string) => Promise<string | undefined>,
  ) {}

  /** @param none the build has no rows yet */
  forget(none = false): void {
    this.recent = new Map();
    this.older = new Map();
    this.fromNothing = none;
    this.gone = undefined;
  }

  /** A row that nobody may change; undefined: there is none. A promise where it has to be waited for. */
  readonly get = (id: string): unknown => {
    if (this.recent.has(id)) return this.opened(id, this.recent.get(id));
    if (this.older.has(id)) {
      const row = this.older.get(id);
      this.keep(id, row);
      return this.opened(id, row);
    }
    if (this.fromNothing && this.gone?.mayHave(id) !== true) return undefined;
    return this.read(id).then((text) => {
      const stored: unknown = text === undefined || this.personal.some ? text : JSON.parse(text);
      this.keep(id, stored);
      return this.opened(id, stored);
    });
  };

  /** What has been committed. */
  learn(changes: RowChanges, written: readonly RowWrite[]): void {
    if (this.personal.some) for (const { id, value } of written) this.keep(id, value ?? undefined);
    else for (const [id, change] of changes) this.keep(id, change?.row);
  }

  private keep(id: string, row: unknown): void {
    this.recent.set(id, row);
    if (this.recent.size < RECENT) return;
    if (this.fromNothing && this.older.size > 0) {
      this.gone ??= new IdFilter();
      for (const [old, stored] of this.older) if (stored !== undefined) this.gone.add(old);
    }
    this.older = this.recent;
    this.recent = new Map();
  }

  private opened(id: string, stored: unknown): unknown {
    if (stored === undefined || !this.personal.some) return stored;
    return Promise.resolve(this.personal.open(this.build, id, stored as string)).then(
      (text) => JSON.parse(text) as unknown,
    );
  }
}
