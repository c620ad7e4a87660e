import { modelOfClass } from './aggregate.js';
import type { AggregateClass } from './aggregate.js';
import type { AggregateModel } from './aggregate-model.js';

/** A kind of aggregate as it is declared: a class with `@Aggregate`, or a decider. */
export type AggregateType<A extends object = object> = AggregateClass<A> | AggregateModel<A>;

/** @throws ConfigurationError for a class without `@Aggregate` */
export function modelOf<A extends object>(type: AggregateType<A>): AggregateModel<A> {
  return typeof type === 'function' ? modelOfClass(type) : type;
}
