/** A transform that threw: the message is dead-lettered with the name of the transform and its place. */
export class TransformError extends Error {
  override readonly name = 'TransformError';
  readonly code = 'transform-failed';

  /**
   * @param transform its name
   * @param step its place among those declared together, from 1
   * @param retryable whether another attempt can help: it waits for something, so it may have failed for a moment
   */
  constructor(
    readonly transform: string,
    readonly step: number,
    cause: unknown,
    readonly retryable = false,
  ) {
    super(`${transform} (step ${step}): ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** A transform that cannot work as it is declared. Change the program. */
export class TransformDeclarationError extends Error {
  override readonly name = 'TransformDeclarationError';
  readonly code = 'configuration';
}
