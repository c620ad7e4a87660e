import { comparePlaces, ConfigurationError } from '@millrace/broker';
import type { Broker, ListedRow } from '@millrace/broker';
import { isExternal } from './external-projection.js';
import { ProjectionBuilds } from './projection-builds.js';
import { PersonalRows, rowPlanOf } from './personal-rows.js';
import { projectionOf } from './projection.js';
import type { ProjectionClass } from './projection.js';
import type { ViewIndexes } from './view-index.js';
import { cursorOf, rowQueryOf } from './view-query.js';
import type { AnyQuery, IndexQuery, ListQuery, Page } from './view-query.js';

/**
 * Rows of a view, for queries. They lag behind the events by milliseconds; `Projections.waitFor` waits for what one has
 * written oneself.
 *
 * A row lives in the partition of the events that wrote it, so give rows the ids that the events have as keys: then all
 * changes of a row come from one partition, in order.
 *
 * @typeParam Indexes type of the `indexes` that the projection is declared with
 */
export class ReadView<Row, Indexes extends ViewIndexes<Row> = Record<never, never>> {
  private readonly builds: ProjectionBuilds | undefined;
  private readonly personal: PersonalRows;
  private build: string;

  /**
   * @param source a projection, whose build that serves is read; or the name of a view that is written by hand
   * @throws ConfigurationError for a projection whose rows stand in another database
   */
  constructor(
    private readonly broker: Broker,
    source: ProjectionClass | string,
  ) {
    if (typeof source !== 'string' && isExternal(source)) {
      throw new ConfigurationError(
        `the rows of ${source.name} stand in another database: read them by an ExternalView`,
      );
    }
    const declaration = typeof source === 'string' ? undefined : projectionOf(source);
    this.build = typeof source === 'string' ? source : projectionOf(source).name;
    this.personal = new PersonalRows(broker, declaration && rowPlanOf(declaration));
    this.builds = declaration && new ProjectionBuilds(broker, declaration);
  }

  /** As stored: that of the build that served when it was last read. */
  get name(): string {
    return this.build;
  }

  get(id: string): Promise<Row | undefined> {
    return this.serving(async (view) => {
      const { store } = this.broker;
      const home = this.broker.partitionFor(id);
      let text = await store.readRow(home, view, id);
      for (let index = 0; text === undefined && index < this.broker.partitions; index++) {
        if (index !== home.index) text = await store.readRow({ ...home, index }, view, id);
      }
      return text === undefined ? undefined : this.row(view, id, text);
    });
  }

  /** Every row, in no particular order. */
  list(): Promise<Row[]>;
  /**
   * A page of an index. As costly as the page is long, in each partition.
   *
   * @throws InvalidCursorError for a cursor that no page had
   * @throws ConfigurationError for a limit that is no positive integer
   */
  list<Index extends keyof Indexes & string>(query: IndexQuery<Indexes, Index>): Promise<Page<Row>>;
  list(query: ListQuery<Indexes>): Promise<Page<Row>>;
  list(query?: object): Promise<Row[] | Page<Row>> {
    return this.serving<Row[] | Page<Row>>((view) => (query ? this.page(view, query as AnyQuery) : this.all(view)));
  }

  private async all(view: string): Promise<Row[]> {
    const parts = await this.everywhere((partition) => this.broker.store.readRows(partition, view));
    return Promise.all(parts.flatMap((rows) => Array.from(rows, ([id, text]) => this.row(view, id, text))));
  }

  private async page(view: string, query: AnyQuery): Promise<Page<Row>> {
    const wanted = rowQueryOf(query);
    const parts = await this.everywhere((partition) => this.broker.store.listRows(partition, view, wanted));
    const sign = wanted.backwards ? -1 : 1;
    const found: ListedRow[] = parts.flat().sort((a, b) => sign * comparePlaces(a, b));
    const rows = found.slice(0, wanted.limit);
    return {
      rows: await Promise.all(rows.map(({ id, row }) => this.row(view, id, row))),
      // A partition with a full page may have more.
      cursor: rows.length === wanted.limit ? cursorOf(rows.at(-1)!) : undefined,
    };
  }

  private async row(view: string, id: string, text: string): Promise<Row> {
    return JSON.parse(await this.personal.open(view, id, text)) as Row;
  }

  private everywhere<T>(read: (partition: { context: string; index: number }) => Promise<T>): Promise<T[]> {
    const { context, partitions } = this.broker;
    return Promise.all(Array.from({ length: partitions }, (_, index) => read({ context, index })));
  }

  /** Reads along with which build serves, and once more when that was another one: no answer is of a build that does not. */
  private async serving<T>(read: (view: string) => Promise<T>): Promise<T> {
    if (!this.builds) return read(this.build);
    for (;;) {
      const view = this.build;
      const [serving, answer] = await Promise.all([this.builds.serving(), read(view)]);
      if (serving === view) return answer;
      this.build = serving;
    }
  }
}
