/** Base of the errors that Millrace throws: a stable code, the facts, and what to do about it in the message. */
export abstract class MillraceError extends Error {
  abstract readonly code: string;
}

/** The store did not answer and nothing can have been written. Trying again is safe. */
export class StoreUnavailableError extends MillraceError {
  override readonly name = 'StoreUnavailableError';
  readonly code = 'store-unavailable';
}

/**
 * The reply to a write was lost: it may have happened. Repeat it only with the same command id or expected version.
 */
export class UnknownOutcomeError extends MillraceError {
  override readonly name = 'UnknownOutcomeError';
  readonly code = 'unknown-outcome';
}

/** A name, an option or a declaration that cannot work. Change the program. */
export class ConfigurationError extends MillraceError {
  override readonly name = 'ConfigurationError';
  readonly code = 'configuration';
}

/** A stream or state was changed by somebody else between reading and committing. */
export class ConflictError extends MillraceError {
  override readonly name = 'ConflictError';
  readonly code = 'conflict';

  constructor(
    readonly guard: string,
    readonly found: string,
    message: string,
  ) {
    super(message);
  }
}

/** Thrown by a handler: this message will never succeed. It is dead-lettered at once. */
export class NonRetryableError extends MillraceError {
  override readonly name = 'NonRetryableError';
  readonly code = 'non-retryable';
}
