import { ConfigurationError } from './errors.js';
import { checkName } from './keys.js';

/** A text under which an index of a view lists a row. A row may stand under any number of them. */
export interface IndexEntry {
  readonly index: string;
  /** Any text. Rows are listed by its bytes in UTF-8. */
  readonly value: string;
}

/** The rows that an index lists under values of a range. */
export interface RowRange {
  readonly index: string;
  /** The first value. Default: the lowest there is. */
  readonly from?: string;
  /** The last value, itself included. Default: the highest there is. */
  readonly to?: string;
}

/** One page of such rows, by value and then by row id. */
export interface RowQuery extends RowRange {
  /** From the highest to the lowest. Default false. */
  readonly backwards?: boolean;
  /** The last row of the page before. */
  readonly after?: RowPlace;
  readonly limit: number;
}

/** Where a row stands in an index. */
export interface RowPlace {
  readonly value: string;
  readonly id: string;
}

export interface ListedRow extends RowPlace {
  /** Empty for an id that is listed without a row. */
  readonly row: string;
}

/** Members of a sorted set from `min` on, and below `max`. */
export interface MemberRange {
  readonly min: string;
  readonly max: string;
  /** Whether `min` is one of them. */
  readonly withMin: boolean;
}

/**
 * The member of a sorted set that stands for a row in an index: `index NUL value NUL id`, with a value whose own NUL is
 * escaped so that members are ordered as values are. Only the id may hold a NUL.
 */
export function memberOf({ index, value }: IndexEntry, id: string): string {
  // Joined, it is one text, not a rope of four.
  return [checkName(index, 'index'), escaped(value), id].join('\0');
}

export function placeOf(member: string): RowPlace {
  const start = member.indexOf('\0') + 1;
  const end = member.indexOf('\0', start);
  return { value: unescaped(member.slice(start, end)), id: member.slice(end + 1) };
}

/** The order of rows in an index. */
export function comparePlaces(a: RowPlace, b: RowPlace): number {
  return (
    Buffer.compare(Buffer.from(a.value), Buffer.from(b.value)) || Buffer.compare(Buffer.from(a.id), Buffer.from(b.id))
  );
}

/** @throws ConfigurationError for a bad name, or a limit that is no positive integer */
export function rangeOf({ index, from, to, backwards = false, after, limit }: RowQuery): MemberRange {
  if (!Number.isInteger(limit) || limit < 1) {
    throw new ConfigurationError(`limit of a page is ${limit}: it must be a positive integer`);
  }
  const start = `${checkName(index, 'index')}\0`;
  const min = from === undefined ? start : `${start}${escaped(from)}\0`;
  const max = to === undefined ? `${index}\x01` : `${start}${escaped(to)}\x01`;
  if (!after) return { min, max, withMin: true };
  const last = memberOf({ index, value: after.value }, after.id);
  return backwards ? { min, max: last, withMin: true } : { min: last, max, withMin: false };
}

function escaped(value: string): string {
  // eslint-disable-next-line no-control-regex -- these are what separates
  return value.replace(/[\0\x01]/g, (byte) => (byte === '\0' ? '\x01\x01' : '\x01\x02'));
}

function unescaped(value: string): string {
  // eslint-disable-next-line no-control-regex -- these are what separates
  return value.replace(/\x01[\x01\x02]/g, (pair) => (pair === '\x01\x01' ? '\0' : '\x01'));
}
