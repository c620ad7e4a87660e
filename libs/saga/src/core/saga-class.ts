import 'reflect-metadata';
import { checkContext, ConfigurationError } from '@millrace/broker';
import type { SagaDefinition } from './definition.js';
import type { UnnamedSaga } from './saga.js';

/** A class that holds the definition of a saga. */
export type SagaClass = abstract new (...args: never[]) => SagaHolder;

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a service runs sagas of any state side by side
export interface SagaHolder<State = any> {
  readonly definition: UnnamedSaga<State>;
}

const NAME = Symbol.for('millrace:saga');

/**
 * Declares a class with a property `definition` as a saga.
 *
 * @param name lower-case letters, digits and hyphens; part of stored keys, so it is fixed
 */
export function Saga(name: string): (target: SagaClass) => void {
  checkContext(name, 'saga');
  return (target) => Reflect.defineMetadata(NAME, name, target);
}

/** @throws ConfigurationError when the class is no saga */
export function sagaName(type: SagaClass): string {
  const name = Reflect.getOwnMetadata(NAME, type) as string | undefined;
  if (name === undefined) throw new ConfigurationError(`${type.name} is not a saga: decorate it with @Saga('name')`);
  return name;
}

/**
 * The definition that an instance of a saga class holds, under the name of the class.
 *
 * @throws ConfigurationError when the class is no saga, or the definition cannot work
 */
export function definitionOf<State>(saga: SagaHolder<State>): SagaDefinition<State> {
  return saga.definition.named(sagaName(saga.constructor as SagaClass));
}
