/** Rows of a view, as a projection writes them. What one event changes is kept only when its method succeeds. */
export interface View<Row> {
  get(id: string): Promise<Row | undefined>;
  /** Writes a row, replacing the old one. */
  put(id: string, row: Row): void;
  /** Writes what `change` makes of the row; undefined deletes it. */
  update(id: string, change: (row: Row | undefined) => Row | undefined): Promise<void>;
  delete(id: string): void;
}
