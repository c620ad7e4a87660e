import type { IndexEntry, Write } from '@millrace/broker';
import type { PersonalPlan } from '@millrace/messages';
import type { FoldTarget } from './fold.js';
import { withoutPersonalData } from './personal-rows.js';
import { entriesOf } from './view-index.js';
import type { ViewIndexes } from './view-index.js';
import type { View } from './view.js';

/** A row as text, and where it is listed; null: deleted. */
type Change = { readonly text: string; readonly entries: readonly IndexEntry[] } | null;

const DONE = Promise.resolve();

/** What a batch of events makes of a view's rows, gathered in memory to be written by one commit. */
export class RowBuffer implements View<unknown>, FoldTarget {
  readonly handle = this;
  private readonly read = new Map<string, string | undefined>();
  private readonly changed = new Map<string, Change>();
  private pending = new Map<string, Change>();

  /** @param stored the text of a row; a promise where it has to be waited for */
  constructor(
    private readonly stored: (id: string) => string | undefined | Promise<string | undefined>,
    private readonly indexes?: ViewIndexes<never>,
    private readonly personal?: PersonalPlan,
  ) {}

  async get(id: string): Promise<unknown> {
    const waiting = this.fetch(id);
    if (waiting) await waiting;
    return this.row(id);
  }

  put(id: string, row: unknown): void {
    const text = JSON.stringify(row);
    this.pending.set(id, {
      text,
      entries: this.indexes ? entriesOf(this.indexes, withoutPersonalData(JSON.parse(text), this.personal)) : [],
    });
  }

  /** At once for a row that is at hand: a replay does little else, and its promises would cost as much as its rows. */
  update(id: string, change: (row: unknown) => unknown): Promise<void> {
    try {
      const waiting = this.fetch(id);
      if (waiting) return waiting.then(() => this.set(id, change(this.row(id))));
      this.set(id, change(this.row(id)));
      return DONE;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  delete(id: string): void {
    this.pending.set(id, null);
  }

  /** The event has been projected: its changes count. */
  keep(): void {
    for (const [id, change] of this.pending) this.changed.set(id, change);
    this.pending.clear();
  }

  /** The event has failed: its changes are as if never made. */
  drop(): void {
    this.pending = new Map();
  }

  writes(view: string): Extract<Write, { kind: 'row' }>[] {
    return Array.from(this.changed, ([id, change]) => ({
      kind: 'row',
      view,
      id,
      value: change?.text ?? null,
      ...(this.indexes ? { entries: change?.entries ?? [] } : {}),
    }));
  }

  /** Makes a row known; a promise where it has to be waited for. */
  private fetch(id: string): Promise<void> | undefined {
    if (this.has(id)) return undefined;
    const stored = this.stored(id);
    if (stored instanceof Promise) return stored.then((text) => void this.read.set(id, text));
    this.read.set(id, stored);
    return undefined;
  }

  /** Whether a row, or that there is none, is known without asking the store. */
  private has(id: string): boolean {
    return this.pending.has(id) || this.changed.has(id) || this.read.has(id);
  }

  private row(id: string): unknown {
    const change = this.pending.get(id) ?? (this.pending.has(id) ? null : this.changed.get(id));
    const text = change === undefined ? this.read.get(id) : change?.text;
    return text === undefined ? undefined : (JSON.parse(text) as unknown);
  }

  private set(id: string, row: unknown): void {
    if (row === undefined) this.delete(id);
    else this.put(id, row);
  }
}
