/** One line of the bank's own book. */
export interface BankEntry {
  /** RFC 3339. */
  readonly at: string;
  readonly op: 'authorize' | 'capture' | 'refund' | 'void' | 'decline';
  /** The idempotency key of the request. */
  readonly key: string;
  readonly reference: string;
  readonly amountMinor: number;
  readonly ccy: string;
}

export interface BankCard {
  readonly reference: string;
  readonly amountMinor: number;
  readonly ccy: string;
  readonly method: string;
}

export type Authorization =
  { readonly approved: true; readonly authorization: string } | { readonly approved: false; readonly code: string };

export type Charge =
  | { readonly captured: true; readonly amountMinor: number; readonly ccy: string }
  | { readonly captured: false; readonly code: string };

/**
 * The bank, which is outside of the system: its effects cannot be part of a commit. Every request has an idempotency
 * key, and a repeated key gets the first answer without a second effect; so a request whose answer was lost is repeated.
 */
export abstract class Bank {
  /** Reserves an amount. */
  abstract authorize(key: string, card: BankCard): Promise<Authorization>;
  /** Takes what was reserved under the reference. */
  abstract capture(key: string, charge: { readonly reference: string; readonly method: string }): Promise<Charge>;
  /** Gives back what was taken. Answers how much; 0 when nothing was. */
  abstract refund(key: string, reference: string): Promise<number>;
  /** Frees what is reserved and was not taken. */
  abstract void(key: string, reference: string): Promise<void>;
  /** Its whole book. */
  abstract entries(): readonly BankEntry[];
}
