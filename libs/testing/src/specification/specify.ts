import { Decider, modelOf } from '@millrace/event-store';
import type { AggregateClass, AggregateModel, DeciderInstance, Decision } from '@millrace/event-store';
import { aggregateOf, observe } from './observed-decision.js';
import { Verdict } from './verdict.js';

/** What a decider does after some events. */
export interface DeciderSpecification<State, Command, Event extends object, Refused> {
  /** What has happened before, oldest first. */
  given(...events: readonly Event[]): {
    /** What is decided on now. */
    when(
      command: Command,
    ): Verdict<DeciderInstance<State, Command, Event, Refused>, Event, Refused, Decision<State, Event, Refused>>;
  };
}

/** What an aggregate of a class does after some events. */
export interface ClassSpecification<A extends object> {
  /** What has happened before, oldest first. */
  given(...events: readonly object[]): {
    /** Calls one of its methods. */
    when<Answer>(act: (aggregate: A) => Answer): Verdict<A, object, Answer, Answer>;
  };
}

/**
 * Says what an aggregate or a decider does, without a store: after these events, on this, that happens. The first line that
 * does not hold throws an Error with the difference. Events go through JSON and are checked by their contracts, as in a store.
 *
 * ```ts
 * specify(product)
 *   .given(new StockAdded('tea', 3))
 *   .when(new HoldStock('tea', 'order-1', 2))
 *   .then(new StockHeld('tea', 'order-1', 2));
 *
 * specify(Product)
 *   .given(new StockAdded('tea', 1))
 *   .when((tea) => tea.hold('order-1', 2))
 *   .thenRefuses(new OutOfStock('tea'));
 * ```
 * @param id the aggregate's. Default `a`
 * @throws ConfigurationError for a class without `@Aggregate`
 */
export function specify<State, Command, Event extends object, Refused>(
  type: Decider<State, Command, Event, Refused>,
  id?: string,
): DeciderSpecification<State, Command, Event, Refused>;
export function specify<A extends object>(type: AggregateClass<A>, id?: string): ClassSpecification<A>;
export function specify<A extends object>(
  type: AggregateClass<A> | Decider<unknown, unknown, object, unknown>,
  id = 'a',
): ClassSpecification<A> | DeciderSpecification<unknown, unknown, object, unknown> {
  return type instanceof Decider ? ofDecider(type, id) : ofClass(modelOf(type), id);
}

function ofDecider<State, Command, Event extends object, Refused>(
  model: Decider<State, Command, Event, Refused>,
  id: string,
): DeciderSpecification<State, Command, Event, Refused> {
  return {
    given: (...events) => ({
      when(command) {
        const aggregate = aggregateOf(model, id, events);
        const observed = observe(model, aggregate, () => aggregate.decide(command));
        return new Verdict(model.label, aggregate, observed, observed.answer?.refusal);
      },
    }),
  };
}

function ofClass<A extends object>(model: AggregateModel<A>, id: string): ClassSpecification<A> {
  return {
    given: (...events) => ({
      when(act) {
        const aggregate = aggregateOf(model, id, events);
        const observed = observe(model, aggregate, () => act(aggregate));
        return new Verdict(model.label, aggregate, observed, observed.answer);
      },
    }),
  };
}
