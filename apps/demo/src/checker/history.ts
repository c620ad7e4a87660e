import type { BankEntry, Evidence, LedgerEntry, Violation } from './evidence.js';

export interface PlacedData {
  readonly orderId: string;
  readonly customerId: string;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
  readonly total: { readonly amount: number; readonly currency: string };
}

/** Everything the ledgers say about one order, each list in the order in which it happened. */
export interface OrderHistory {
  readonly orderId: string;
  readonly placed: LedgerEntry<PlacedData>[];
  readonly confirmed: LedgerEntry[];
  readonly rejected: LedgerEntry[];
  /** Of the order service: all of the above. */
  readonly order: LedgerEntry[];
  readonly catalog: LedgerEntry[];
  readonly payment: LedgerEntry[];
  readonly bank: BankEntry[];
  readonly saga: LedgerEntry[];
}

/** A rule: everything in the history that breaks it. */
export type Invariant = (history: History) => Violation[];

/** The evidence, sorted by order. */
export class History {
  readonly orders = new Map<string, OrderHistory>();

  constructor(readonly evidence: Evidence) {
    const { ledgers } = evidence;
    for (const entry of inSequence(ledgers.order)) {
      const order = this.about(text(entry.data.orderId));
      order.order.push(entry);
      if (entry.type === 'order.placed') order.placed.push(entry as unknown as LedgerEntry<PlacedData>);
      if (entry.type === 'order.confirmed') order.confirmed.push(entry);
      if (entry.type === 'order.rejected') order.rejected.push(entry);
    }
    for (const entry of inSequence(ledgers.catalog)) {
      if (entry.data.orderId !== undefined) this.about(text(entry.data.orderId)).catalog.push(entry);
    }
    for (const entry of inSequence(ledgers.payment)) this.about(text(entry.data.reference)).payment.push(entry);
    for (const entry of ledgers.bank) this.about(entry.reference).bank.push(entry);
    for (const entry of inSequence(ledgers.orchestrator)) this.about(sagaOf(entry)).saga.push(entry);
  }

  private about(orderId: string): OrderHistory {
    let order = this.orders.get(orderId);
    if (!order) {
      order = {
        orderId,
        placed: [],
        confirmed: [],
        rejected: [],
        order: [],
        catalog: [],
        payment: [],
        bank: [],
        saga: [],
      };
      this.orders.set(orderId, order);
    }
    return order;
  }
}

/** Feed order; entries of different partitions by time. */
export function inSequence(entries: readonly LedgerEntry[]): LedgerEntry[] {
  return [...entries].sort((a, b) =>
    a.partition === b.partition ? a.position - b.position : a.time.localeCompare(b.time) || a.partition - b.partition,
  );
}

/** Sum of the bank's lines of one kind, in minor units. */
export function booked(entries: readonly BankEntry[], op: BankEntry['op']): number {
  return entries.reduce((sum, entry) => (entry.op === op ? sum + entry.amountMinor : sum), 0);
}

export function text(value: unknown): string {
  return String(value);
}

/** The order a saga event is about. */
function sagaOf(entry: LedgerEntry): string {
  return text(entry.data.id ?? entry.data.sagaId ?? entry.subject);
}
