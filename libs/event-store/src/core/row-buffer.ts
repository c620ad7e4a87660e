import type { Write } from '@millrace/broker';
import type { View } from './view.js';

/** What a batch of events makes of a view's rows, gathered in memory to be written by one commit. */
export class RowBuffer implements View<unknown> {
  private readonly rows = new Map<string, string | undefined>();
  private readonly changed = new Set<string>();
  private pending = new Map<string, string | undefined>();

  constructor(private readonly read: (id: string) => Promise<string | undefined>) {}

  async get(id: string): Promise<unknown> {
    if (!this.pending.has(id) && !this.rows.has(id)) this.rows.set(id, await this.read(id));
    const text = this.pending.has(id) ? this.pending.get(id) : this.rows.get(id);
    return text === undefined ? undefined : (JSON.parse(text) as unknown);
  }

  put(id: string, row: unknown): void {
    this.pending.set(id, JSON.stringify(row));
  }

  async update(id: string, change: (row: unknown) => unknown): Promise<void> {
    const row = change(await this.get(id));
    if (row === undefined) this.delete(id);
    else this.put(id, row);
  }

  delete(id: string): void {
    this.pending.set(id, undefined);
  }

  /** The event has been projected: its changes count. */
  keep(): void {
    for (const [id, text] of this.pending) {
      this.rows.set(id, text);
      this.changed.add(id);
    }
    this.pending.clear();
  }

  /** The event has failed: its changes are as if never made. */
  drop(): void {
    this.pending = new Map();
  }

  writes(view: string): Write[] {
    return Array.from(this.changed, (id) => ({ kind: 'row', view, id, value: this.rows.get(id) ?? null }));
  }
}
