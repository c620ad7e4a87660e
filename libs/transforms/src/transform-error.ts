import { MessageError } from '@millrace/messages';
import type { MessageErrorCode } from '@millrace/messages';

/** A transform that threw: the message is dead-lettered with the name of the transform and its place. */
export class TransformError extends Error {
  override readonly name = 'TransformError';
  /** `transform-failed`, or why, when the message itself is lost or has been tampered with. */
  readonly code: 'transform-failed' | Lost;
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
    this.code = wrong && isLost(cause.code) ? cause.code : 'transform-failed';
  }
}

type Lost = 'claim-missing' | 'tampered-data';

function isLost(code: MessageErrorCode): code is Lost {
  return code === 'claim-missing' || code === 'tampered-data';
}

/** A transform that cannot work as it is declared. Change the program. */
export class TransformDeclarationError extends Error {
  override readonly name = 'TransformDeclarationError';
  readonly code = 'configuration';
}
