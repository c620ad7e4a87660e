import type { SagaDefinition } from './definition.js';
import type { SagaInstance } from './instance.js';
import type { ReplyInput } from './transition.js';

/** `failed`: to be tried again. `refused`: the step was not done and will not be, for this reason. */
export type Verdict = 'done' | 'failed' | 'no-answer' | { readonly refused: string };

/**
 * What a reply means for the command in hand. A step before its pivot decides by the types it has handlers for;
 * everything else has to succeed in the end, and only the outcome counts.
 */
export function judge<State>(
  definition: SagaDefinition<State>,
  instance: SagaInstance<State>,
  { type, data, outcome }: ReplyInput,
): Verdict {
  const step = definition.steps[instance.step];
  if (instance.status !== 'running' || step?.untilDone) return outcome === 'success' ? 'done' : 'failed';
  const handler = step?.replies.get(type);
  if (!handler) return 'no-answer';
  return 'refuses' in handler ? { refused: handler.refuses(instance.state, data) } : 'done';
}
