import { findContract, MessageError } from '@millrace/messages';
import type { MessageClass } from '@millrace/messages';
import type { CommandPlan, SagaDefinition } from './definition.js';

/**
 * The classes of the commands that a saga sends. A definition has functions that make them of a state, which must be pure,
 * so they are called once with a state that answers everything; a command that cannot be made of that is not listed.
 */
export function commandClassesOf<State>({ steps, onCompensated }: SagaDefinition<State>): readonly MessageClass[] {
  const plans = [...steps.flatMap(({ command, undo }) => [command, undo]), onCompensated];
  return [...new Set(plans.flatMap((plan) => (plan && classOf(plan)) ?? []))];
}

function classOf<State>({ command }: CommandPlan<State>): MessageClass | undefined {
  try {
    const made = command(anything as State, { step: 'step', reason: 'reason' });
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
