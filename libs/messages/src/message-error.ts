/** Why a message was refused. */
export type MessageErrorCode =
  | 'invalid-type'
  | 'undeclared'
  | 'not-json'
  | 'forbidden-key'
  | 'too-large'
  | 'too-deep'
  | 'malformed'
  | 'unknown-type'
  | 'unsupported-version'
  | 'invalid-data'
  | 'async-schema';

/**
 * A message that breaks its contract. Thrown when publishing; when receiving, it is the reason of a dead letter.
 * Retrying never helps: the message or the contract has to change.
 */
export class MessageError extends Error {
  override readonly name = 'MessageError';

  constructor(
    readonly code: MessageErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
