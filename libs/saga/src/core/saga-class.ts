import 'reflect-metadata';
import { checkContext, ConfigurationError } from '@millrace/broker';
import type { SagaDefinition } from './definition.js';
import type { UnnamedSaga } from './dsl/unnamed-saga.js';

/** A class that holds the definition of a saga. */
export type SagaClass = abstract new (...args: never[]) => SagaHolder;

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a service runs sagas of any state side by side
export interface SagaHolder<State = any> {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- and of any input
  readonly definition: UnnamedSaga<State, any>;
}

/** The state of a saga class. */
export type StateOf<S extends SagaClass> =
  InstanceType<S>['definition'] extends UnnamedSaga<infer State, never> ? State : never;

/** What an instance of a saga class is started with. */
export type InputOf<S extends SagaClass> =
  InstanceType<S>['definition'] extends UnnamedSaga<infer _, infer Input> ? Input : never;

export interface SagaOptions {
  /**
   * Counted up when the definition changes while instances are under way. The class of the version before stays beside it
   * until its instances have ended. Default 1.
   */
  readonly version?: number;
}

interface Named {
  readonly name: string;
  readonly version: number;
}

const NAME = Symbol.for('millrace:saga');

/**
 * Declares a class with a property `definition` as a saga.
 *
 * @param name lower-case letters, digits and hyphens; part of stored keys, so it is fixed
 */
export function Saga(name: string, { version = 1 }: SagaOptions = {}): (target: SagaClass) => void {
  checkContext(name, 'saga');
  return (target) => Reflect.defineMetadata(NAME, { name, version } satisfies Named, target);
}

/** @throws ConfigurationError when the class is no saga */
export function sagaName(type: SagaClass): string {
  return namedOf(type).name;
}

/**
 * The definition that an instance of a saga class holds, under the name of the class.
 *
 * @throws ConfigurationError when the class is no saga, or the definition cannot work
 */
export function definitionOf<State>(saga: SagaHolder<State>): SagaDefinition<State> {
  const { name, version } = namedOf(saga.constructor as SagaClass);
  return saga.definition.named(name, version);
}

function namedOf(type: SagaClass): Named {
  const named = Reflect.getOwnMetadata(NAME, type) as Named | undefined;
  if (named === undefined) throw new ConfigurationError(`${type.name} is not a saga: decorate it with @Saga('name')`);
  return named;
}
