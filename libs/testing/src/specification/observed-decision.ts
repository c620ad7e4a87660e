import { newAggregate, replay, takeRecorded } from '@millrace/event-store';
import type { AggregateModel } from '@millrace/event-store';
import { contractOf, revive, validateMessage } from '@millrace/messages';
import type { MessageClass } from '@millrace/messages';

/** What came of one decision. */
export interface ObservedDecision<Answer> {
  readonly events: readonly object[];
  /** Undefined when it threw. */
  readonly answer: Answer | undefined;
  readonly thrown: { readonly error: unknown } | undefined;
}

/** The aggregate after events, which come to it as they come from a store. */
export function aggregateOf<A extends object>(model: AggregateModel<A>, id: string, events: readonly object[]): A {
  const aggregate = newAggregate(model, id);
  for (const event of events) {
    const { type } = contractOf(event);
    if (!replay(model, aggregate, type, asStored(event))) {
      throw new Error(`${model.label} is given ${type}, but ${model.remedy}(${event.constructor.name})`);
    }
  }
  return aggregate;
}

/** Of a decision that throws, nothing is kept. */
export function observe<Answer>(
  { label }: AggregateModel<object>,
  aggregate: object,
  decide: () => Answer,
): ObservedDecision<Answer> {
  let answer: Answer;
  try {
    answer = decide();
  } catch (error) {
    return { events: [], answer: undefined, thrown: { error } };
  }
  if (answer instanceof Promise) throw new Error(`${label} decides in a promise: a specification waits for nothing`);
  const events = takeRecorded(aggregate);
  for (const event of events) validateMessage(event);
  return { events, answer, thrown: undefined };
}

function asStored(event: object): object {
  validateMessage(event);
  return revive(event.constructor as MessageClass, JSON.parse(JSON.stringify(event)) as object);
}
