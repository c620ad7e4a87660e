import type { Answer } from './engine/signal.js';
import type { StepNode } from './definition.js';

/** What a reply means: a new state; a refusal, with its reason or, without, to be tried again; or nothing. */
export type Verdict<State> = { readonly state: State } | { readonly refused: string | undefined } | 'no-answer';

/**
 * What a reply means for a step under way. A step before its pivot decides by the types it has handlers for; everything else
 * has to succeed in the end, and only the outcome counts.
 */
export function judge<State>(
  { replies, anyReply, untilDone }: StepNode<State>,
  state: State,
  { type, data, outcome }: Answer,
  item: unknown,
): Verdict<State> {
  const handler = replies.get(type) ?? anyReply?.(type, outcome);
  if (untilDone && outcome === 'failure') return { refused: undefined };
  if (handler) {
    return 'refuses' in handler
      ? { refused: handler.refuses(state, data, item) }
      : { state: handler.succeeds(state, data, item) };
  }
  return untilDone ? { state } : 'no-answer';
}
