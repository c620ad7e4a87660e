import type { IndexEntry } from '@millrace/broker';
import type { PersonalPlan } from '@millrace/messages';
import type { FoldTarget } from './fold.js';
import { jsonCopy } from './json-copy.js';
import { withoutPersonalData } from './personal-rows.js';
import type { RowWrite } from './personal-rows.js';
import { entriesOf } from './view-index.js';
import type { ViewIndexes } from './view-index.js';
import type { View } from './view.js';

/** Made by its constructor, as V8 would make a literal's among old objects when many rows wait for their commit. */
class ChangedRow {
  /**
   * @param row as JSON gives it back, which nobody may change
   * @param entries where it is listed
   */
  constructor(
    readonly row: unknown,
    readonly entries: readonly IndexEntry[],
  ) {}
}

/** null: deleted. */
type Change = ChangedRow | null;

class Before {
  /** @param change undefined: it had not been changed */
  constructor(
    readonly id: string,
    readonly change: Change | undefined,
  ) {}
}

export type RowChanges = ReadonlyMap<string, Change>;

const DONE = Promise.resolve();

/**
 * What a batch of events makes of a view's rows, gathered in memory to be written by one commit. Methods get copies and give
 * copies; text is made of a row once, however many events change it.
 */
export class RowBuffer implements View<unknown>, FoldTarget {
  readonly handle = this;
  readonly done = DONE;
  private readonly read = new Map<string, unknown>();
  private readonly changed = new Map<string, Change>();
  /**
   * What the event under way has changed, as it was before. No map that is cleared for each event: V8 links the table it had to
   * the next one, and a single one that has grown old then keeps all that follow.
   */
  private before: Before[] = [];

  /** @param stored a row, which stays as it is; a promise where it has to be waited for */
  constructor(
    private readonly stored: (id: string) => unknown,
    private readonly indexes?: ViewIndexes<never>,
    private readonly personal?: PersonalPlan,
  ) {}

  async get(id: string): Promise<unknown> {
    const waiting = this.fetch(id);
    if (waiting) await waiting;
    return this.row(id);
  }

  put(id: string, row: unknown): void {
    this.replace(this.changed.get(id), id, row);
  }

  /** At once for a row that is at hand: a replay does little else, and its promises would cost as much as its rows. */
  update(id: string, change: (row: unknown) => unknown): Promise<void> {
    try {
      const known = this.changed.get(id);
      const waiting = known === undefined ? this.fetch(id) : undefined;
      if (waiting) return waiting.then(() => this.put(id, change(this.row(id))));
      this.replace(known, id, change(this.row(id, known)));
      return DONE;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  delete(id: string): void {
    this.change(this.changed.get(id), id, null);
  }

  /** The event has been projected: its changes count. */
  keep(): void {
    this.before = [];
  }

  /** The event has failed: its changes are as if never made. */
  drop(): void {
    for (const { id, change } of this.before.reverse()) {
      if (change === undefined) this.changed.delete(id);
      else this.changed.set(id, change);
    }
    this.before = [];
  }

  /** Of the events that have been projected. */
  get changes(): RowChanges {
    return this.changed;
  }

  writes(view: string): RowWrite[] {
    return Array.from(this.changed, ([id, change]) => ({
      kind: 'row',
      view,
      id,
      value: change && JSON.stringify(change.row),
      ...(this.indexes ? { entries: change?.entries ?? [] } : {}),
    }));
  }

  /** Makes a row known; a promise where it has to be waited for. */
  private fetch(id: string): Promise<void> | undefined {
    if (this.changed.has(id) || this.read.has(id)) return undefined;
    const stored = this.stored(id);
    if (stored instanceof Promise) return stored.then((row) => void this.read.set(id, row));
    this.read.set(id, stored);
    return undefined;
  }

  private row(id: string, change = this.changed.get(id)): unknown {
    const row = change === undefined ? this.read.get(id) : change?.row;
    return row === undefined ? undefined : jsonCopy(row);
  }

  private replace(before: Change | undefined, id: string, row: unknown): void {
    const own = jsonCopy(row);
    this.change(before, id, own === undefined ? null : new ChangedRow(own, this.entriesOf(own)));
  }

  private change(before: Change | undefined, id: string, change: Change): void {
    this.before.push(new Before(id, before));
    this.changed.set(id, change);
  }

  private entriesOf(row: unknown): readonly IndexEntry[] {
    return this.indexes ? entriesOf(this.indexes, withoutPersonalData(jsonCopy(row), this.personal)) : NOWHERE;
  }
}

const NOWHERE: readonly IndexEntry[] = [];
