import { MessageError } from '@millrace/messages';

/** A transform that threw: the message is dead-lettered with the name of the transform and its place. */
export class TransformError extends Error {
  override readonly name = 'TransformError';
  /** `transform-failed`, or `claim-missing` when that is why. */
  readonly code: 'transform-failed' | 'claim-missing';
  /** Whether another attempt can help: it waits for something, which may be away for a moment. */
  readonly retryable: boolean;

  /**
   * @param transform its name
   * @param step its place among those declared together, from 1
   * @param waits whether it waits for something; a message that breaks a contract fails for good even so
   */
  constructor(
    readonly transform: string,
    readonly step: number,
    cause: unknown,
    waits = false,
  ) {
    super(`${transform} (step ${step}): ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    const wrong = cause instanceof MessageError;
    this.retryable = waits && !wrong;
    this.code = wrong && cause.code === 'claim-missing' ? cause.code : 'transform-failed';
  }
}

/** A transform that cannot work as it is declared. Change the program. */
export class TransformDeclarationError extends Error {
  override readonly name = 'TransformDeclarationError';
  readonly code = 'configuration';
}
