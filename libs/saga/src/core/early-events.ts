import { contractOf } from '@millrace/messages';
import { waitsOf } from './definition.js';
import type { SagaDefinition } from './definition.js';
import type { EarlyEvent, SagaInstance } from './instance.js';

/** So many events are kept for later; who sends more to one saga floods it. */
const MAX_EARLY = 100;

/** Keeps an event that the saga will wait for; undefined when it never will, or has too many already. */
export function keepEarly<State>(
  definition: SagaDefinition<State>,
  instance: SagaInstance<State>,
  event: EarlyEvent,
): SagaInstance<State> | undefined {
  const { early = [], run } = instance;
  if (run.back || early.length >= MAX_EARLY) return undefined;
  const wanted = waitsOf(definition).some((wait) => contractOf(wait.event).type === event.type);
  return wanted ? { ...instance, early: [...early, event] } : undefined;
}
