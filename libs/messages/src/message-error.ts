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
  | 'async-schema'
  | 'no-json-schema'
  | 'unknown-route'
  | 'claim-missing'
  | 'no-data-subject'
  | 'no-subject-keys'
  | 'tampered-data';

/**
 * A message that breaks its contract. Thrown when publishing; when receiving, it is the reason of a dead letter.
 * Retrying never helps: the message or the contract has to change.
 */
export class MessageError extends Error {
  override readonly name = 'MessageError';
  /** The class that was to be made of the data, when its own constructor refused them. */
  readonly contract?: unknown;

  constructor(
    readonly code: MessageErrorCode,
    message: string,
    { contract, ...options }: ErrorOptions & { readonly contract?: unknown } = {},
  ) {
    super(message, options);
    if (contract) this.contract = contract;
  }
}
