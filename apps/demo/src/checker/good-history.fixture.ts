import type { BankEntry, Call, LedgerEntry } from './evidence.js';

type Feed = 'catalog' | 'order' | 'payment' | 'orchestrator';
/** Evidence that can still be changed. */
export type Draft = {
  calls: Call[];
  ledgers: Record<Feed, LedgerEntry[]> & { bank: BankEntry[] };
  shelf: Map<string, number>;
  parked: string[];
};

/** Writes a history as a shop that works would: each line a moment later than the one before. */
class Shop {
  readonly draft: Draft = {
    calls: [],
    ledgers: { catalog: [], order: [], payment: [], orchestrator: [], bank: [] },
    shelf: new Map(),
    parked: [],
  };
  private moment = 0;

  write(feed: Feed, type: string, data: Record<string, unknown>): this {
    const ledger = this.draft.ledgers[feed];
    ledger.push({
      partition: 0,
      position: ledger.length + 1,
      type,
      time: this.now(),
      id: `${feed}-${ledger.length}`,
      data,
    });
    return this;
  }

  bank(op: BankEntry['op'], reference: string, amountMinor: number): this {
    this.draft.ledgers.bank.push({ at: this.now(), op, key: `${reference}:${op}`, reference, amountMinor, ccy: 'EUR' });
    return this;
  }

  place(orderId: string, quantity: number): this {
    const customerId = `customer of ${orderId}`;
    this.draft.calls.push({ key: `key of ${orderId}`, customerId, outcome: 'unknown', error: 'socket hang up' });
    this.draft.calls.push({ key: `key of ${orderId}`, customerId, outcome: 'ok', orderId, status: 202 });
    const total = { amount: quantity * 250, currency: 'EUR' };
    this.write('order', 'order.placed', { orderId, customerId, lines: [{ sku: 'mug', quantity }], total });
    return this.write('orchestrator', 'saga.started', { saga: 'place-order', id: orderId });
  }

  reserve(orderId: string, quantity: number): this {
    this.write('catalog', 'catalog.stock-held', { sku: 'mug', orderId, quantity });
    return this.write('catalog', 'catalog.reservation-made', { orderId, lines: [{ sku: 'mug', quantity }] });
  }

  authorize(reference: string, amountMinor: number): this {
    this.bank('authorize', reference, amountMinor);
    return this.write('payment', 'payment.authorization-made', { reference, amountMinor });
  }

  capture(reference: string, amountMinor: number): this {
    this.bank('capture', reference, amountMinor);
    return this.write('payment', 'payment.charge-captured', { reference, amountMinor });
  }

  refund(reference: string, amountMinor: number): this {
    this.bank('refund', reference, amountMinor);
    return this.write('payment', 'payment.charge-refunded', { reference, amountMinor });
  }

  voided(reference: string): this {
    this.bank('void', reference, 0);
    return this.write('payment', 'payment.authorization-voided', { reference });
  }

  release(orderId: string, quantity: number): this {
    this.write('catalog', 'catalog.stock-returned', { sku: 'mug', orderId, quantity });
    return this.write('catalog', 'catalog.reservation-released', { orderId });
  }

  confirm(orderId: string): this {
    return this.write('order', 'order.confirmed', { orderId }).end(orderId);
  }

  reject(orderId: string): this {
    return this.write('order', 'order.rejected', { orderId, reason: 'as planned' }).end(orderId);
  }

  end(id: string): this {
    return this.write('orchestrator', 'saga.ended', { saga: 'place-order', id });
  }

  private now(): string {
    return new Date(Date.UTC(2026, 0, 1) + ++this.moment).toISOString();
  }
}

/** One order of every kind, 20 mugs at first, 18 left. */
export function goodHistory(): Draft {
  const shop = new Shop();
  shop.write('catalog', 'catalog.product-added', { sku: 'mug', stock: 20 });
  shop.place('good', 2).reserve('good', 2).authorize('good', 500).capture('good', 500).confirm('good');
  shop
    .place('greedy', 99)
    .write('catalog', 'catalog.reservation-refused', { orderId: 'greedy', reason: 'out of stock' });
  shop.reject('greedy');
  shop.place('poor', 1).reserve('poor', 1).bank('decline', 'poor', 250);
  shop.write('payment', 'payment.authorization-declined', { reference: 'poor', code: 'declined' });
  shop.release('poor', 1).reject('poor');
  shop.place('slow', 3).reserve('slow', 3).authorize('slow', 750).voided('slow').release('slow', 3).reject('slow');
  shop.place('late', 4).reserve('late', 4).authorize('late', 1000).capture('late', 1000).refund('late', 1000);
  shop.voided('late').release('late', 4).reject('late');
  shop.place('never', 1).reserve('never', 1).write('payment', 'payment.payment-closed', { reference: 'never' });
  shop.release('never', 1).reject('never');
  shop.place('stuck', 1).write('orchestrator', 'saga.parked', { saga: 'place-order', id: 'stuck' });
  shop.draft.parked.push('stuck');
  shop.draft.shelf.set('mug', 18);
  return shop.draft;
}
