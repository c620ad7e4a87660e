import { MillraceError } from '@millrace/broker';

/**
 * - `unknown-saga`: there is no instance with this id
 * - `already-started`: there is one
 * - `not-possible`: an instance that is where it is cannot do that: cancel what has ended, retry what is not parked
 */
export type SagaErrorCode = 'unknown-saga' | 'already-started' | 'not-possible';

/** What was asked of a saga cannot be done. Nothing was changed. */
export class SagaError extends MillraceError {
  override readonly name = 'SagaError';

  constructor(
    readonly code: SagaErrorCode,
    readonly saga: string,
    readonly id: string,
    message: string,
  ) {
    super(message);
  }
}
