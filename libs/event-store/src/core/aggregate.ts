import 'reflect-metadata';
import { checkContext, ConfigurationError } from '@millrace/broker';
import { contractOf } from '@millrace/messages';
import { appliersOf } from './apply.js';

/** A class whose instances the repository can make: without constructor arguments. */
export type AggregateClass<A extends AggregateRoot = AggregateRoot> = new () => A;

const NAME = Symbol.for('millrace:aggregate');

/**
 * Names an aggregate: its events are kept in the stream `<name>-<id>`. The name is stored, so it outlives renaming the
 * class.
 *
 * @param name lower-case letters, digits and hyphens
 */
export function Aggregate(name: string): ClassDecorator {
  checkContext(name, 'aggregate');
  return (target) => Reflect.defineMetadata(NAME, name, target);
}

/** The name of an aggregate class. @throws ConfigurationError when it has no `@Aggregate` */
export function aggregateName(type: AggregateClass): string {
  const name = Reflect.getOwnMetadata(NAME, type) as string | undefined;
  if (name === undefined) {
    throw new ConfigurationError(`${type.name} is not an aggregate: decorate it with @Aggregate('name')`);
  }
  return name;
}

let identify: (aggregate: AggregateRoot, id: string) => void;
let replay: (aggregate: AggregateRoot, type: string, event: object) => boolean;
let takeRecorded: (aggregate: AggregateRoot) => readonly object[];

/**
 * State that changes by events only. Methods decide and `record` what happened; methods with `@Apply` change the state.
 */
export abstract class AggregateRoot {
  #id = '';
  #version = 0;
  #recorded: object[] = [];

  /** What distinguishes it from others of its kind. */
  get id(): string {
    return this.#id;
  }

  /** The number of its events, those just recorded included; 0: it does not exist yet. */
  get version(): number {
    return this.#version;
  }

  /**
   * Applies an event at once and keeps it for the commit.
   *
   * @throws ConfigurationError when no method applies it
   */
  protected record(event: object): void {
    const { kind, type } = contractOf(event);
    if (kind !== 'event') {
      throw new ConfigurationError(`${this.constructor.name} records ${type}, a ${kind}: only events are recorded`);
    }
    if (!replay(this, type, event)) {
      throw new ConfigurationError(
        `${this.constructor.name} records ${type}, but no method applies it: add @Apply(${event.constructor.name})`,
      );
    }
    this.#recorded.push(event);
  }

  static {
    identify = (aggregate, id) => (aggregate.#id = id);
    replay = (aggregate, type, event) => {
      const applier = appliersOf(Object.getPrototypeOf(aggregate) as object).get(type);
      if (!applier) return false;
      (aggregate as unknown as Record<string | symbol, (event: object) => void>)[applier.method]!(event);
      aggregate.#version++;
      return true;
    };
    takeRecorded = (aggregate) => aggregate.#recorded.splice(0);
  }
}

/** A fresh aggregate without events. */
export function newAggregate<A extends AggregateRoot>(type: AggregateClass<A>, id: string): A {
  const aggregate = new type();
  identify(aggregate, id);
  return aggregate;
}

export {
  /** Applies a stored event; false when the class has no method for its type. */
  replay,
  /** The events recorded since the last call. */
  takeRecorded,
};
