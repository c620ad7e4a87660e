import 'reflect-metadata';
import { checkContext, ConfigurationError } from '@millrace/broker';
import { recordWith } from './aggregate-model.js';
import type { AggregateModel, Evolution, Evolving } from './aggregate-model.js';
import { appliersOf } from './apply.js';
import { checkMode } from './chain/chain-rule.js';
import type { ChainMode } from './chain/chain-rule.js';
import { idOf, versionOf } from './journal.js';
import { snapshotRule } from './snapshot-options.js';
import type { SnapshotOptions } from './snapshot-options.js';
import { snapshottingOf } from './snapshotting.js';

/** A class whose instances the repository can make: without constructor arguments. */
export type AggregateClass<A extends object = object> = new () => A;

export interface AggregateOptions<A extends object = object> {
  /**
   * Snapshots are taken, of its own fields as JSON. A class with private fields (`#`), or with fields that hold a Map, a Date
   * or instances of classes, says itself what is kept: `toSnapshot()` and `fromSnapshot(state)`.
   */
  readonly snapshot?: SnapshotOptions<A>;
  /** Its events carry a hash chain: see {@link EventStoreOptions.chain}. Default: only where the event store says so. */
  readonly chain?: ChainMode;
}

interface Declared<A extends object> extends AggregateOptions<A> {
  readonly name: string;
}

const DECLARED = Symbol.for('millrace:aggregate');

/**
 * Names an aggregate: its events are kept in the stream `<name>-<id>`. The name is stored, so it outlives renaming the
 * class.
 *
 * @param name lower-case letters, digits and hyphens
 * @throws ConfigurationError for a name that cannot be part of a key, and for what is no way to chain
 */
export function Aggregate<A extends object = object>(
  name: string,
  options: AggregateOptions<A> = {},
): (target: AggregateClass<A>) => void {
  checkContext(name, 'aggregate');
  checkMode(`aggregate '${name}'`, options.chain);
  return (target) => Reflect.defineMetadata(DECLARED, { name, ...options } satisfies Declared<A>, target);
}

/**
 * Applies an event at once and keeps it for the commit. For aggregates that extend no class of ours; the others have it as
 * a method.
 *
 * @example record(this, new StockHeld(orderId, quantity));
 * @throws ConfigurationError when no method applies it
 */
export function record(aggregate: object, event: object): void {
  recordWith(evolvingOf(aggregate.constructor as AggregateClass), aggregate, event);
}

/**
 * State that changes by events only. Methods decide and `record` what happened; methods with `@Apply` change the state.
 * Extending it is a convenience: any class with `@Aggregate` will do, see {@link record}, {@link idOf}, {@link versionOf}.
 */
export abstract class AggregateRoot {
  /** What distinguishes it from others of its kind. */
  get id(): string {
    return idOf(this);
  }

  /** The number of its events, those just recorded included; 0: it does not exist yet. */
  get version(): number {
    return versionOf(this);
  }

  /**
   * Applies an event at once and keeps it for the commit.
   *
   * @throws ConfigurationError when no method applies it
   */
  protected record(event: object): void {
    record(this, event);
  }
}

/** @throws ConfigurationError when the class has no `@Aggregate` of its own, and for snapshots that cannot work */
export function modelOfClass<A extends object>(type: AggregateClass<A>): AggregateModel<A> {
  const declared = Reflect.getOwnMetadata(DECLARED, type) as Declared<A> | undefined;
  if (!declared) {
    throw new ConfigurationError(`${type.name} is not an aggregate: decorate it with @Aggregate('name')`);
  }
  const { name, snapshot, chain } = declared;
  const snapshots = snapshot && snapshottingOf(type.name, type, snapshotRule(type.name, snapshot));
  return { ...evolvingOf(type), name, create: () => new type(), snapshots, chain };
}

const known = new WeakMap<AggregateClass, Evolving<object>>();

function evolvingOf(type: AggregateClass): Evolving<object> {
  let evolving = known.get(type);
  if (!evolving) known.set(type, (evolving = evolvingFrom(type)));
  return evolving;
}

function evolvingFrom(type: AggregateClass): Evolving<object> {
  const evolutions = new Map<string, Evolution<object>>();
  for (const [name, { contract, version, method }] of appliersOf(type.prototype as object)) {
    const apply = (aggregate: object, event: object): void =>
      (aggregate as Record<string | symbol, (event: object) => void>)[method]!(event);
    evolutions.set(name, { contract, version, apply });
  }
  return { label: type.name, remedy: 'has no method that applies it: add @Apply', evolutions };
}
