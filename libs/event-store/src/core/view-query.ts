import { InvalidCursorError } from '@millrace/broker';
import type { RowPlace, RowQuery } from '@millrace/broker';
import { orderedText } from './view-index.js';
import type { IndexedByAll, IndexValue } from './view-index.js';

/** Rows of one value, of a range with both ends, or of all values. */
export type Selection<Value> =
  | { readonly equals: Value; readonly from?: never; readonly to?: never }
  | { readonly from?: Value; readonly to?: Value; readonly equals?: never };

export interface PageOptions {
  /** Rows at most. Default 100. */
  readonly limit?: number;
  /** From the highest value to the lowest. Default false. */
  readonly backwards?: boolean;
  /** Of the page before. Default: the first page. */
  readonly cursor?: string | undefined;
}

/** A page of a list: an index of the view, which of its values, and where to go on. */
export type ListQuery<Indexes> = {
  [Index in keyof Indexes & string]: IndexQuery<Indexes, Index>;
}[keyof Indexes & string];

/** As {@link ListQuery}, of one index, or of one of several that is known only at runtime: then values are those that all of them have. */
export type IndexQuery<Indexes, Index extends keyof Indexes & string> = { readonly index: Index } & Selection<
  IndexedByAll<Indexes, Index>
> &
  PageOptions;

export interface Page<Row> {
  /** By value, and then by id. A row that an index lists under several values is there for each. */
  readonly rows: readonly Row[];
  /** For the next page; undefined: this was the last one. */
  readonly cursor: string | undefined;
}

/** @throws InvalidCursorError for a cursor that no page had */
export function rowQueryOf({ index, equals, from = equals, to = equals, ...page }: AnyQuery): RowQuery {
  const { limit = 100, backwards = false, cursor } = page;
  return {
    index,
    limit,
    backwards,
    ...(from === undefined ? {} : { from: orderedText(from, index) }),
    ...(to === undefined ? {} : { to: orderedText(to, index) }),
    ...(cursor === undefined ? {} : { after: placeOf(cursor) }),
  };
}

export function cursorOf({ value, id }: RowPlace): string {
  return Buffer.from(JSON.stringify([value, id])).toString('base64url');
}

export interface AnyQuery extends PageOptions {
  readonly index: string;
  readonly equals?: IndexValue;
  readonly from?: IndexValue;
  readonly to?: IndexValue;
}

function placeOf(cursor: string): RowPlace {
  try {
    const [value, id, ...more] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
    if (typeof value === 'string' && typeof id === 'string' && more.length === 0) return { value, id };
  } catch {
    // As below.
  }
  throw new InvalidCursorError(cursor);
}
