import { MillraceError } from '@millrace/broker';
import type { SagaFailure } from '../definition.js';

/**
 * What an operation of a saga's code throws when it was refused or given up, and nothing of it remains. Code that catches it
 * goes another way; let through, it turns the saga round.
 */
export class StepRefused extends MillraceError {
  override readonly name = 'StepRefused';
  readonly code = 'step-refused';

  constructor(
    /** Name of the operation; `saga` when the code turns round by itself. */
    readonly step: string,
    readonly reason: string,
    /** The reply that said no, an instance of its class. Undefined: a function said no, or nobody answered. */
    readonly reply?: object,
  ) {
    super(`'${step}' was refused: ${reason}`);
  }
}

/** Why code turns round that has thrown this; undefined: it has not thrown a refusal, but failed. */
export function refusalIn(error: unknown): SagaFailure | undefined {
  if (error instanceof StepRefused) return { step: error.step, reason: error.reason };
  if (error instanceof AggregateError) {
    const refusals = error.errors.map(refusalIn);
    return refusals.every((each) => each !== undefined) ? refusals[0] : undefined;
  }
  return error instanceof Error && error.cause !== undefined ? refusalIn(error.cause) : undefined;
}
