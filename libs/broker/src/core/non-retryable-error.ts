import { checkOwnReason } from './dead-letter-reason.js';
import { MillraceError } from './errors.js';

export interface NonRetryableOptions<Code extends string> extends ErrorOptions {
  /**
   * Why, for programs: the `reason` of the dead letter, and of the reply to who waits for one. Lowercase words with hyphens, few
   * of them: it is an attribute of metrics. Default `non-retryable`.
   */
  readonly code?: Code;
}

/**
 * Thrown by a handler: this message will never succeed. It is dead-lettered at once.
 *
 * @typeParam Code of a class of its own, or as it is given
 *
 * @example
 * throw new NonRetryableError(`the bank declines ${card}`, { code: 'card-declined' });
 */
export class NonRetryableError<Code extends string = string> extends MillraceError {
  override readonly name: string = 'NonRetryableError';
  readonly code: Code;

  /** @throws ConfigurationError for a code that has a meaning of its own, is hardly another one, or is no short word */
  constructor(message: string, options: NonRetryableOptions<Code> = {}) {
    super(message, options);
    if (options.code !== undefined) checkOwnReason(options.code);
    this.code = options.code ?? ('non-retryable' as Code);
  }
}
