import 'reflect-metadata';
import { ConfigurationError } from '@millrace/broker';
import { contractOf } from '@millrace/messages';
import type { MessageClass } from '@millrace/messages';
import type { EventClass } from './stored-event.js';

/** The method that applies one event type to an aggregate's state. */
export interface Applier extends EventClass {
  readonly method: string | symbol;
}

const APPLIERS = Symbol.for('millrace:appliers');

/**
 * Marks the method that changes an aggregate's state by one event, both when the event is recorded and when the
 * aggregate is loaded. It must not fail and must not decide: the event has happened. Subclasses inherit it.
 *
 * @throws ConfigurationError when the class already applies this event, or the contract is no event
 */
export function Apply<E extends object>(event: MessageClass<E>) {
  return <M extends (event: E) => void>(
    target: object,
    method: string | symbol,
    _descriptor: TypedPropertyDescriptor<M>,
  ): void => {
    const { kind, type, version } = contractOf(event);
    const where = `${target.constructor.name}.${String(method)}`;
    if (kind !== 'event') throw new ConfigurationError(`${where} applies ${type}, a ${kind}: only events are applied`);
    let own = Reflect.getOwnMetadata(APPLIERS, target) as Map<string, Applier> | undefined;
    if (!own) Reflect.defineMetadata(APPLIERS, (own = new Map<string, Applier>()), target);
    const other = own.get(type);
    if (other) {
      throw new ConfigurationError(`${where} and ${String(other.method)} both apply ${type}: keep one of them`);
    }
    own.set(type, { contract: event, version, method });
  };
}

const resolved = new WeakMap<object, ReadonlyMap<string, Applier>>();

/** Every event type that instances of a prototype apply, inherited ones included; a subclass overrides its parent. */
export function appliersOf(prototype: object): ReadonlyMap<string, Applier> {
  let appliers = resolved.get(prototype);
  if (!appliers) {
    const parent = Object.getPrototypeOf(prototype) as object | null;
    const own = Reflect.getOwnMetadata(APPLIERS, prototype) as Map<string, Applier> | undefined;
    appliers = new Map([...(parent ? appliersOf(parent) : []), ...(own ?? [])]);
    resolved.set(prototype, appliers);
  }
  return appliers;
}
