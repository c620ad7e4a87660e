import { comparePlaces, compareTimers, ConfigurationError } from '@millrace/broker';
import type { Broker, Partition, Timer } from '@millrace/broker';
import { parseStateName } from '../command-id.js';
import type { SagaInstance, SagaStatus } from '../instance.js';
import { cursorOf, placeOf } from './saga-cursor.js';
import { MAX_LIMIT, momentOf, rangeOfFilter, STATUSES } from './saga-filter.js';
import type { Moment, SagaFilter } from './saga-filter.js';
import { idIn, listedBy, placeAt, SAGA_INDEX, timeIn, valueAt, within } from './saga-index.js';
import type { SagaInstances } from './saga-instances.js';

export interface SagaPage<State = unknown> {
  /** As they are now. */
  readonly sagas: readonly SagaInstance<State>[];
  /** For the next page; undefined: this was the last one. */
  readonly cursor: string | undefined;
}

/** Something that happens to a saga at a time, if nothing happens before. */
export interface DueSaga {
  readonly saga: string;
  readonly id: string;
  /** ms since 1970 */
  readonly at: number;
}

export interface DuePage {
  /** The soonest first. */
  readonly sagas: readonly DueSaga[];
  /** For the next page; undefined: this was the last one. */
  readonly cursor: string | undefined;
}

export interface DueOptions {
  /** Of this saga. Default: of all. */
  readonly saga?: string;
  readonly before: Moment;
  /** Sagas at most. Default 100. */
  readonly limit?: number;
  /** Of the page before. Default: the first page. */
  readonly cursor?: string | undefined;
}

/** Lists and counts of sagas, over all partitions. */
export class SagaQueries {
  constructor(
    private readonly broker: Broker,
    private readonly instances: SagaInstances,
  ) {}

  /**
   * A page of a list. As costly as the page is long, in each partition and for each saga that is asked for.
   *
   * @param saga undefined: all that this service runs
   * @throws ConfigurationError for a filter that cannot be answered; InvalidCursorError
   */
  async list(saga: string | undefined, filter: SagaFilter = {}): Promise<SagaPage> {
    const { of, from, to, backwards, limit } = rangeOfFilter(filter);
    const list = `${saga ?? ''} ${of('').index} ${of('').prefix} ${backwards}`;
    const last = placeOf(list, filter.cursor);
    const parts = await this.everywhere(saga, async (partition, name) => {
      const { index, prefix } = of(name);
      const after = last && { value: valueAt(prefix, placeAt(last.at)), id: last.row };
      const query = { ...within({ index, prefix }, from, to), limit, backwards, ...(after ? { after } : {}) };
      return this.broker.store.listRows(partition, SAGA_INDEX, query);
    });
    const sign = backwards ? -1 : 1;
    const found = parts
      .flat()
      .map(({ value, id }) => ({ value: placeAt(timeIn(value)), id }))
      .sort((a, b) => sign * comparePlaces(a, b))
      .slice(0, limit);
    const read = await Promise.all(found.map(({ id: row }) => this.instances.find(idIn(row).saga, idIn(row).id)));
    const end = found.at(-1);
    return {
      // Between the list and the saga itself it may have moved on.
      sagas: read.filter(
        (each) => each !== undefined && (!filter.status || each.status === filter.status),
      ) as SagaInstance[],
      cursor: end && found.length === limit ? cursorOf(list, { at: timeIn(end.value), row: end.id }) : undefined,
    };
  }

  /** How many there are of each status. As costly for many sagas as for few. */
  async count(saga?: string): Promise<Readonly<Record<SagaStatus, number>>> {
    const counted = STATUSES.map(async (status) => {
      const parts = await this.everywhere(saga, (partition, name) =>
        this.broker.store.countRows(partition, SAGA_INDEX, within(listedBy.status(name, status))),
      );
      return [status, parts.reduce((sum, part) => sum + part, 0)] as const;
    });
    return Object.fromEntries(await Promise.all(counted)) as Record<SagaStatus, number>;
  }

  /**
   * A page of what is due before a moment. What is due already is on its way. As costly as the page is long.
   *
   * Pages follow the timers of the sagas, which may be set for earlier than what they are for, never for later: so a saga that
   * has got on lately may stand on an earlier page than the time at which it is due.
   *
   * @throws ConfigurationError for a limit or a moment that is none; InvalidCursorError
   */
  async due({ saga, before, limit = 100, cursor }: DueOptions): Promise<DuePage> {
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT)
      throw new ConfigurationError(`limit of due sagas is ${limit}: write an integer from 1 to ${MAX_LIMIT}`);
    const end = momentOf('before', before)! - 1;
    const list = `due ${saga ?? ''}`;
    const last = placeOf(list, cursor);
    let after = last && { due: last.at, id: last.row };
    const found: DueSaga[] = [];
    for (;;) {
      const { due, next } = await this.broker.store.dueTimers(this.partitions(), end, limit, after);
      const timers = [...due].sort(compareTimers).slice(0, limit - found.length);
      found.push(...(await this.dueAt(timers, saga, end)));
      const isLast = timers.length === due.length && (next === undefined || next > end);
      after = timers.at(-1) ?? after;
      if (!isLast && found.length < limit) continue;
      const sagas = found.sort((a, b) => a.at - b.at || a.id.localeCompare(b.id));
      return { sagas, cursor: isLast ? undefined : cursorOf(list, { at: after!.due, row: after!.id }) };
    }
  }

  private async dueAt(timers: readonly Timer[], saga: string | undefined, end: number): Promise<readonly DueSaga[]> {
    const found = timers.map(async ({ id: timer }): Promise<DueSaga[]> => {
      const name = parseStateName(timer);
      if (!name || (saga !== undefined && name.saga !== saga)) return [];
      const { wakeAt } = (await this.instances.find(name.saga, name.id)) ?? {};
      return wakeAt !== undefined && wakeAt <= end ? [{ ...name, at: wakeAt }] : [];
    });
    return (await Promise.all(found)).flat();
  }

  private partitions(): readonly Partition[] {
    const { context, partitions } = this.broker;
    return Array.from({ length: partitions }, (_, index) => ({ context, index }));
  }

  private everywhere<T>(
    saga: string | undefined,
    read: (partition: Partition, saga: string) => Promise<T>,
  ): Promise<T[]> {
    const names = saga === undefined ? this.instances.definitions.names : [saga];
    return Promise.all(names.flatMap((name) => this.partitions().map((partition) => read(partition, name))));
  }
}
