import { contractOf } from '@millrace/messages';
import type { MessageClass } from '@millrace/messages';
import type { PathOf, RedactablePath, ValueAt } from './fields.js';
import type { MapTransform } from './transform.js';

/** What stands in the place of a text that was redacted. */
export const REDACTED = '[redacted]';

/** What to put where: a value, or a function of the value that was there. */
export type Masks<T> = {
  readonly [Path in PathOf<T>]?: ValueAt<T, Path> | ((value: NonNullable<ValueAt<T, Path>>) => ValueAt<T, Path>);
};

/**
 * Content Filter: takes out what the receiver must not see. Paths go through objects and the items of arrays. A text
 * becomes `[redacted]`, anything else is left out; masks say what to put instead.
 *
 * @example
 * redact(CustomerRegistered, 'email', 'addresses.note')
 * redact(CustomerRegistered, { birthday: (day) => day.slice(0, 4), email: 'nobody@example.com' })
 */
export function redact<T extends object>(contract: MessageClass<T>, masks: Masks<T>): MapTransform;
export function redact<T extends object>(
  contract: MessageClass<T>,
  path: RedactablePath<T>,
  ...more: RedactablePath<T>[]
): MapTransform;
export function redact(contract: MessageClass, first: string | object, ...more: string[]): MapTransform {
  const { type } = contractOf(contract);
  const masks: Mask[] =
    typeof first === 'string'
      ? [first, ...more].map((path) => ({ path: path.split('.'), mask: blank }))
      : Object.entries(first).map(([path, mask]) => ({ path: path.split('.'), mask: toMask(mask) }));
  return {
    kind: 'redact',
    shape: 'map',
    name: `redact ${type} ${masks.map(({ path }) => path.join('.')).join(', ')}`,
    from: [type],
    to: [type],
    contracts: [contract],
    apply: (message) => ({
      ...message,
      data: masks.reduce((data, { path, mask }) => masked(data, path, mask), message.data),
    }),
  };
}

interface Mask {
  readonly path: readonly string[];
  readonly mask: (value: unknown) => unknown;
}

function blank(value: unknown): unknown {
  return typeof value === 'string' ? REDACTED : undefined;
}

function toMask(mask: unknown): (value: unknown) => unknown {
  return typeof mask === 'function' ? (mask as (value: unknown) => unknown) : () => mask;
}

/** A copy with another value at the path; what is on the way keeps its class. What is not there stays away. */
function masked(data: unknown, path: readonly string[], mask: (value: unknown) => unknown): unknown {
  if (Array.isArray(data)) return data.map((item) => masked(item, path, mask));
  const [name, ...rest] = path;
  if (typeof data !== 'object' || data === null || !Object.hasOwn(data, name!)) return data;
  const { [name!]: value, ...others } = data as Record<string, unknown>;
  if (value === undefined || value === null) return data;
  const other = rest.length > 0 ? masked(value, rest, mask) : mask(value);
  const shown = other === undefined ? others : { ...others, [name!]: other };
  return Object.assign(Object.create(Object.getPrototypeOf(data) as object) as object, shown);
}
