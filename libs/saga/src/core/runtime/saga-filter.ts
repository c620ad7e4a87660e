import { ConfigurationError } from '@millrace/broker';
import type { SagaStatus } from '../instance.js';
import { listedBy } from './saga-index.js';
import type { Prefix } from './saga-index.js';

/** A moment: a date, or ms since 1970. */
export type Moment = Date | number;

/** Itself included from `after` on, and excluded at `before`. */
export interface Span {
  readonly after?: Moment;
  readonly before?: Moment;
}

/** Which sagas a list shows, in which order; at most one of `status`, `step`, `key` and `deadline`. */
export interface SagaFilter {
  readonly status?: SagaStatus;
  /** Name of a step that they are at. */
  readonly step?: string;
  /** One business key: `{ customer: 'c17' }`. */
  readonly key?: Readonly<Record<string, string>>;
  /** When they turn round by themselves: listed by that, the soonest first. */
  readonly deadline?: Span;
  /** When they were started. Not together with `deadline`. */
  readonly started?: Span;
  /** By their start. Default `newest`. */
  readonly order?: 'newest' | 'oldest';
  /** Sagas at most. Default 100. */
  readonly limit?: number;
  /** Of the page before. Default: the first page. */
  readonly cursor?: string | undefined;
}

export const STATUSES: readonly SagaStatus[] = [
  'running',
  'compensating',
  'completing',
  'rejecting',
  'parked',
  'completed',
  'compensated',
  'aborted',
];

/** A filter as a range of one index. */
export interface SagaRange {
  readonly of: (saga: string) => Prefix;
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly backwards: boolean;
  readonly limit: number;
}

const NAMES = ['status', 'step', 'key', 'deadline', 'started', 'order', 'limit', 'cursor'];
/** Sagas on a page at most. */
export const MAX_LIMIT = 1000;

/** @throws ConfigurationError for a filter that no index answers, naming what is wrong with it */
export function rangeOfFilter(filter: SagaFilter): SagaRange {
  const unknown = Object.keys(filter).find((name) => !NAMES.includes(name));
  if (unknown !== undefined) throw wrong(`'${unknown}'`, `what there is: ${NAMES.join(', ')}`);
  const { status, step, key, deadline, started, order = 'newest', limit = 100 } = filter;
  const said = Object.entries({ status, step, key, deadline }).flatMap(([name, value]) =>
    value === undefined ? [] : [name],
  );
  if (said.length > 1) throw wrong(said.join(' and '), 'one of status, step, key and deadline');
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw wrong(`limit ${limit}`, `an integer from 1 to ${MAX_LIMIT}`);
  }
  if (!['newest', 'oldest'].includes(order)) throw wrong(`order '${order}'`, `'newest' or 'oldest'`);
  if (deadline) {
    if (started ?? filter.order) throw wrong(`deadline with ${started ? 'started' : 'order'}`, 'a deadline alone');
    return { of: listedBy.deadline, ...ends('deadline', deadline), backwards: false, limit };
  }
  return { of: indexFor(filter), ...ends('started', started ?? {}), backwards: order === 'newest', limit };
}

function indexFor({ status, step, key }: SagaFilter): SagaRange['of'] {
  if (status !== undefined) {
    if (!STATUSES.includes(status)) throw wrong(`status '${status}'`, `one of ${STATUSES.join(', ')}`);
    return (saga) => listedBy.status(saga, status);
  }
  if (step !== undefined) return (saga) => listedBy.step(saga, step);
  if (key === undefined) return listedBy.saga;
  const [pair, ...more] = Object.entries(key);
  if (!pair || more.length > 0)
    throw wrong(`key ${JSON.stringify(key)}`, `one business key, such as { customer: 'c17' }`);
  return (saga) => listedBy.key(saga, ...pair);
}

function ends(name: string, { after, before }: Span): Pick<SagaRange, 'from' | 'to'> {
  const last = momentOf(`${name}.before`, before);
  return { from: momentOf(`${name}.after`, after), to: last === undefined ? undefined : last - 1 };
}

/** @throws ConfigurationError for what is no moment */
export function momentOf(name: string, moment: Moment | undefined): number | undefined {
  if (moment === undefined) return undefined;
  const ms = moment instanceof Date ? moment.getTime() : moment;
  if (typeof ms === 'number' && Number.isFinite(ms)) return Math.trunc(ms);
  throw wrong(`${name} ${JSON.stringify(moment)}`, 'a Date, or a number of ms since 1970');
}

function wrong(what: string, instead: string): ConfigurationError {
  return new ConfigurationError(`a list of sagas cannot have ${what}: write ${instead}`);
}
