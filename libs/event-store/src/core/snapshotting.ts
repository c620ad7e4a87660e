import { ConfigurationError } from '@millrace/broker';
import { notPlain } from './plain-json.js';
import type { SnapshotRule } from './snapshot-options.js';

/** How a kind of aggregate becomes a snapshot, and when. */
export interface Snapshotting<A extends object> extends SnapshotRule<A> {
  /** What JSON keeps. */
  save(aggregate: A): unknown;
  /** Makes a fresh aggregate what it was. */
  restore(aggregate: A, state: unknown): void;
}

/**
 * A class that says itself what is kept of it: where its fields are private (`#`), or something that JSON does not keep.
 *
 * @example
 * toSnapshot() { return { held: [...this.held] }; }
 * fromSnapshot({ held }: { held: [string, number][] }) { this.held = new Map(held); }
 */
export interface KeepsItself {
  /** Plain JSON. */
  toSnapshot(): unknown;
  /** Called on a fresh instance, whose id is known. */
  fromSnapshot(state: unknown): void;
}

/** @throws ConfigurationError for a class whose fields are not all that it is, or are more than JSON keeps */
export function snapshottingOf<A extends object>(
  label: string,
  type: new () => A,
  rule: SnapshotRule<A>,
): Snapshotting<A> {
  const own = type.prototype as Partial<KeepsItself>;
  if (own.toSnapshot && own.fromSnapshot) {
    return {
      ...rule,
      save: (aggregate) => (aggregate as A & KeepsItself).toSnapshot(),
      restore: (aggregate, state) => (aggregate as A & KeepsItself).fromSnapshot(state),
    };
  }
  const problem = hasPrivateFields(type)
    ? 'has private fields (#), which a snapshot does not see'
    : notPlain(fieldsOf(new type()), 'this');
  if (own.toSnapshot ?? own.fromSnapshot ?? problem) {
    const lack = problem ?? 'has one of toSnapshot and fromSnapshot';
    throw new ConfigurationError(`snapshots of ${label}: ${lack}; give it toSnapshot() and fromSnapshot(state)`);
  }
  return { ...rule, save: fieldsOf, restore: setFields };
}

function fieldsOf(aggregate: object): object {
  return { ...aggregate };
}

function setFields(aggregate: object, state: unknown): void {
  const kept = new Map(Object.entries(state as object));
  // JSON leaves out what is undefined, and a fresh instance has its first value there.
  for (const name of new Set([...Object.keys(aggregate), ...kept.keys()])) {
    Object.defineProperty(aggregate, name, {
      value: kept.get(name),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
}

/** No reflection sees them, but their use stands in the text of the class. */
function hasPrivateFields(type: unknown): boolean {
  if (typeof type !== 'function' || type === Function.prototype) return false;
  return /\bthis\.#/.test(Function.prototype.toString.call(type)) || hasPrivateFields(Object.getPrototypeOf(type));
}
