/** What the checker is given: what the client saw, and what the services and the bank wrote down. */
export interface Evidence {
  readonly calls: readonly Call[];
  readonly ledgers: {
    readonly catalog: readonly LedgerEntry[];
    readonly order: readonly LedgerEntry[];
    readonly payment: readonly LedgerEntry[];
    readonly orchestrator: readonly LedgerEntry[];
    readonly bank: readonly BankEntry[];
  };
  /** What the catalog says is left on the shelf, by SKU. */
  readonly shelf: ReadonlyMap<string, number>;
  /** The orders whose saga is parked, by the orchestrator's list. */
  readonly parked: readonly string[];
}

/** One `POST /orders`, as the client saw it. Every placing of one order has the same key. */
export interface Call {
  readonly key: string;
  readonly customerId: string;
  /** `unknown`: no answer, or one that leaves open whether it happened. */
  readonly outcome: 'ok' | 'fail' | 'unknown';
  /** Of an `ok` call. */
  readonly orderId?: string;
  /** HTTP status, when there was an answer. */
  readonly status?: number;
  readonly error?: string;
}

/** One event of a service's feed. */
export interface LedgerEntry<T = Record<string, unknown>> {
  readonly partition: number;
  /** Place in the partition's feed, from 1 without gaps. */
  readonly position: number;
  readonly type: string;
  readonly subject?: string;
  /** RFC 3339. */
  readonly time: string;
  readonly id: string;
  readonly causationid?: string;
  readonly correlationid?: string;
  readonly data: T;
}

/** One line of the bank's own book. */
export interface BankEntry {
  readonly at: string;
  readonly op: 'authorize' | 'capture' | 'refund' | 'void' | 'decline';
  readonly key: string;
  readonly reference: string;
  readonly amountMinor: number;
  readonly ccy: string;
}

/** A rule of the shop that the evidence breaks. */
export interface Violation {
  /** `E1` .. `E9` */
  readonly code: string;
  /** The order, SKU or feed it is about. */
  readonly subject: string;
  readonly text: string;
}
