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

/** No reply to a request came in time. The command may still be handled, unless it was sent with `expires: true`. */
export class RequestTimeoutError extends MillraceError {
  override readonly name = 'RequestTimeoutError';
  readonly code = 'request-timeout';

  constructor(
    /** Type and id of the command. */
    readonly type: string,
    readonly id: string,
    readonly timeoutMs: number,
    message: string,
  ) {
    super(message);
  }
}

/** A request has been given up where it was handled, or its reply cannot be used. Failure replies are no errors, but replies. */
export class RequestFailedError extends MillraceError {
  override readonly name = 'RequestFailedError';
  readonly code = 'request-failed';

  constructor(
    /** Type and id of the command. */
    readonly type: string,
    readonly id: string,
    /** Short code: why it was dead-lettered, `expired`, `no-reply`, `unknown-reply`, `replies-lost`, or `superseded`: its effect has been undone. */
    readonly reason: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Thrown by a handler: another attempt may succeed. Tried again, whatever `retryIf` says, until attempts are used up. */
export class RetryableError extends MillraceError {
  override readonly name = 'RetryableError';
  readonly code = 'retryable';
  /** Wait before the next attempt, ms, instead of the policy's. */
  readonly afterMs: number | undefined;

  /** @throws ConfigurationError when `afterMs` is no number of at least 0 */
  constructor(message: string, options: ErrorOptions & { readonly afterMs?: number } = {}) {
    super(message, options);
    this.afterMs = options.afterMs === undefined ? undefined : checkTime('RetryableError: afterMs', options.afterMs);
  }
}

/**
 * Thrown by a handler: not now. The message comes again at its time, which is no failed attempt; until then the later
 * messages of its key wait behind it (with ordering `key`). Survives crash and shutdown.
 *
 * @example
 * if (!shop.isOpen) throw Defer.until(shop.opensAt);
 */
export class Defer extends MillraceError {
  override readonly name = 'Defer';
  readonly code = 'deferred';

  private constructor(
    message: string,
    private readonly at: (now: number) => number,
  ) {
    super(message);
  }

  /**
   * @param time a date, or ms since 1970; one that has passed means at once
   * @throws ConfigurationError when it is none
   */
  static until(time: Date | number): Defer {
    const due = checkTime('Defer.until', Number(time));
    return new Defer(`put off until ${new Date(due).toISOString()}`, () => due);
  }

  /** @throws ConfigurationError when `ms` is no number of at least 0 */
  static forMs(ms: number): Defer {
    checkTime('Defer.forMs', ms);
    return new Defer(`put off for ${ms} ms`, (now) => now + ms);
  }

  /** When the message comes again, ms since 1970. */
  due(now: number): number {
    return this.at(now);
  }
}

/** A handler took longer than its group's `handlerTimeoutMs`. Counts as a failed attempt. */
export class HandlerTimeoutError extends MillraceError {
  override readonly name = 'HandlerTimeoutError';
  readonly code = 'handler-timeout';
}

/** The latest time that a Date can hold. */
const END_OF_TIME = 8.64e15;

function checkTime(what: string, ms: number): number {
  if (ms >= 0 && ms <= END_OF_TIME) return ms;
  throw new ConfigurationError(`${what} is ${ms}; it must be a time in ms, at least 0`);
}

/** A cursor that no page of a list had, e.g. from a changed address. Nothing was read. Begin with the first page. */
export class InvalidCursorError extends MillraceError {
  override readonly name = 'InvalidCursorError';
  readonly code = 'invalid-cursor';

  constructor(readonly cursor: string) {
    super(`${JSON.stringify(cursor.slice(0, 100))} is no cursor of a page: begin with the first page`);
  }
}
