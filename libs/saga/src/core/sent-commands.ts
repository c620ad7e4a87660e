import { findContract, MessageError } from '@millrace/messages';
import type { MessageClass } from '@millrace/messages';
import { codeOf, stepsOf } from './definition.js';
import type { SagaDefinition } from './definition.js';

/**
 * The classes of the messages that a saga sends. A definition has functions that make them of a state, which must be pure,
 * so they are called once with a state that answers everything; a command that cannot be made of that is not listed.
 */
export function commandClassesOf<State>(definition: SagaDefinition<State>): readonly MessageClass[] {
  const plans = stepsOf(definition).flatMap((step) => [step.do, step.undo]);
  const sent = plans.flatMap((plan) => (plan?.act.kind === 'send' ? [plan.act.make] : []));
  const { completed, compensated, parked } = definition.ends;
  const said = [completed, compensated, parked].flatMap((end) => (end ? [end as Make] : []));
  const classes = [...sent.map((make) => classOf(make as Make)), ...said.map((make) => classOf(make))];
  return [...new Set([...(codeOf(definition)?.sends ?? []), ...classes.flatMap((type) => type ?? [])])];
}

/** A function of a definition that makes a message of a state, and an item or a failure. */
export type Make = (state: unknown, other: unknown) => object;

/** The class of what a function makes; undefined: that does not show without a real state. */
export function classOf(make: Make): MessageClass | undefined {
  try {
    const made = make(anything, FAILURE);
    return findContract(made) ? (made.constructor as MessageClass) : undefined;
  } catch (error) {
    // The constructor of a class with a schema refuses what was made up here, and says whose data they were.
    return error instanceof MessageError ? (error.contract as MessageClass | undefined) : undefined;
  }
}

/** Has every property, can be called, is a text and an empty list. */
const anything: unknown = new Proxy(() => undefined, {
  get: (_target, key) => {
    if (key === Symbol.toPrimitive) return () => '0';
    if (key === Symbol.iterator) return () => [].values();
    return anything;
  },
  apply: () => anything,
});

/** As a second argument: an item, or a failure. */
const FAILURE = new Proxy({ step: 'step', reason: 'reason' }, { get: (of, key) => Reflect.get(of, key) ?? anything });
