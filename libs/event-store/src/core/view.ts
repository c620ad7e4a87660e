import type { Broker } from '@millrace/broker';

/** Rows of a view, as a projection writes them. What one event changes is kept only when its method succeeds. */
export interface View<Row> {
  get(id: string): Promise<Row | undefined>;
  /** Writes a row, replacing the old one. */
  put(id: string, row: Row): void;
  /** Writes what `change` makes of the row; undefined deletes it. */
  update(id: string, change: (row: Row | undefined) => Row | undefined): Promise<void>;
  delete(id: string): void;
}

/**
 * Rows of a view, for queries. They lag behind the events by milliseconds.
 *
 * A row lives in the partition of the events that wrote it, so give rows the ids that the events have as keys: then all
 * changes of a row come from one partition, in order.
 */
export class ReadView<Row> {
  /** @param name as stored: `<projection>.v<version>` */
  constructor(
    private readonly broker: Broker,
    readonly name: string,
  ) {}

  async get(id: string): Promise<Row | undefined> {
    const { store } = this.broker;
    const home = this.broker.partitionFor(id);
    let text = await store.readRow(home, this.name, id);
    for (let index = 0; text === undefined && index < this.broker.partitions; index++) {
      if (index !== home.index) text = await store.readRow({ ...home, index }, this.name, id);
    }
    return text === undefined ? undefined : (JSON.parse(text) as Row);
  }

  /** Every row, in no particular order. */
  async list(): Promise<Row[]> {
    const { store, context, partitions } = this.broker;
    const parts = await Promise.all(
      Array.from({ length: partitions }, (_, index) => store.readRows({ context, index }, this.name)),
    );
    return parts.flatMap((rows) => Array.from(rows.values(), (text) => JSON.parse(text) as Row));
  }
}
