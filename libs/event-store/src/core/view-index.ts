import { ConfigurationError } from '@millrace/broker';
import type { IndexEntry } from '@millrace/broker';

/** What rows are listed by. Numbers and dates are ordered by size, texts by their bytes in UTF-8, false before true. */
export type IndexValue = string | number | boolean | Date;

/**
 * The indexes of a view by name: under which value, or values, a row is listed; undefined, null: not at all. A row is given
 * as it is stored, as JSON. Counted among what needs a new version of the projection when it changes.
 */
export type ViewIndexes<Row> = Readonly<
  Record<string, (row: Row) => IndexValue | readonly IndexValue[] | null | undefined>
>;

/** The values of one index. */
export type IndexedBy<Index> = Index extends (row: never) => infer Value
  ? Exclude<Value extends readonly (infer Each)[] ? Each : Value, null | undefined>
  : never;

/** The values that each of several indexes has. */
export type IndexedByAll<Indexes, Index extends keyof Indexes> = {
  [Each in Index]: (value: IndexedBy<Indexes[Each]>) => void;
}[Index] extends (value: infer Value) => void
  ? Value
  : never;

/** @throws ConfigurationError for a value that has no place in an order */
export function entriesOf(indexes: ViewIndexes<never>, row: unknown): IndexEntry[] {
  return Object.entries(indexes).flatMap(([index, valuesOf]) => {
    const values = (valuesOf as (row: unknown) => IndexValue | readonly IndexValue[] | null | undefined)(row) ?? [];
    return [values].flat().map((value: IndexValue) => ({ index, value: orderedText(value, index) }));
  });
}

/**
 * A text whose bytes stand in the order of the values: numbers as the 64 bits of IEEE 754, with the sign turned and
 * negative ones inverted. Kinds begin with a letter of their own.
 */
export function orderedText(value: IndexValue, index: string): string {
  if (typeof value === 'string') return `s${value}`;
  if (typeof value === 'boolean') return value ? 'b1' : 'b0';
  const number = value instanceof Date ? value.getTime() : value;
  if (typeof number !== 'number' || Number.isNaN(number)) {
    throw new ConfigurationError(
      `index '${index}' gives ${String(value)}: write a text, a number, a boolean or a date`,
    );
  }
  const bits = new DataView(new ArrayBuffer(8));
  // Without the sign of zero.
  bits.setFloat64(0, number + 0);
  const raw = bits.getBigUint64(0);
  const ordered = raw >> 63n ? ~raw & 0xffffffffffffffffn : raw | (1n << 63n);
  return `n${ordered.toString(16).padStart(16, '0')}`;
}
