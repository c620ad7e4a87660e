import { INVARIANTS, check } from './check.js';
import type { BankEntry, Evidence, LedgerEntry } from './evidence.js';
import type { Draft } from './good-history.fixture.js';
import { goodHistory } from './good-history.fixture.js';

const find = (ledger: LedgerEntry[], type: string, about: string) => {
  const found = ledger.find(
    ({ type: t, data }) => t === type && [data.orderId, data.reference, data.id].includes(about),
  );
  if (!found) throw new Error(`no ${type} of ${about}`);
  return found as { -readonly [K in keyof LedgerEntry]: LedgerEntry[K] };
};
const append = (ledger: LedgerEntry[], type: string, data: Record<string, unknown>) =>
  ledger.push({
    partition: 0,
    position: ledger.length + 1,
    type,
    time: '2026-01-02T00:00:00.000Z',
    id: `late-${ledger.length}`,
    data,
  });
const remove = (ledger: LedgerEntry[], type: string, about: string) => {
  ledger.splice(ledger.indexOf(find(ledger, type, about)), 1);
  ledger.forEach((entry, at) => ((entry as { position: number }).position = at + 1));
};
const bankLine = (draft: Draft, op: BankEntry['op'], reference: string, amountMinor: number, ccy = 'EUR') =>
  draft.ledgers.bank.push({ at: '', op, key: 'k', reference, amountMinor, ccy });

type Fault = readonly [code: string, what: string, seed: (draft: Draft) => void];
const FAULTS: readonly Fault[] = [
  ['E1', 'the bank kept money of nobody', (d) => bankLine(d, 'capture', 'nobody', 1)],
  ['E1', 'the bank kept money in another currency', (d) => bankLine(d, 'capture', 'nobody', 1, 'USD')],
  [
    'E2',
    'an order is charged twice, even if all of it is refunded',
    (d) => {
      bankLine(d, 'capture', 'ghost', 5);
      bankLine(d, 'capture', 'ghost', 5);
      bankLine(d, 'refund', 'ghost', 10);
    },
  ],
  [
    'E2',
    'more is refunded than charged',
    (d) => {
      bankLine(d, 'capture', 'someone', 5);
      bankLine(d, 'refund', 'someone', 8);
      bankLine(d, 'capture', 'someone else', 3);
    },
  ],
  [
    'E3',
    'more is held than there is',
    (d) => {
      append(d.ledgers.catalog, 'catalog.product-added', { sku: 'pen', stock: 1 });
      append(d.ledgers.catalog, 'catalog.stock-held', { sku: 'pen', orderId: 'stuck', quantity: 2 });
      d.shelf.set('pen', -1);
    },
  ],
  ['E3', 'the shelf is not what the ledger says', (d) => d.shelf.set('mug', 17)],
  ['E3', 'the catalog shows a product no more', (d) => d.shelf.clear()],
  [
    'E4',
    'an order never ends',
    (d) => {
      remove(d.ledgers.order, 'order.rejected', 'greedy');
    },
  ],
  [
    'E4',
    'an order is parked without an alert',
    (d) => {
      remove(d.ledgers.orchestrator, 'saga.parked', 'stuck');
    },
  ],
  [
    'E5',
    'stock is returned that was never held',
    (d) => {
      append(d.ledgers.catalog, 'catalog.stock-returned', { sku: 'cup', orderId: 'stuck', quantity: 0 });
    },
  ],
  [
    'E5',
    'a reservation is made after its release',
    (d) => {
      append(d.ledgers.catalog, 'catalog.reservation-made', { orderId: 'poor', lines: [] });
    },
  ],
  [
    'E5',
    'a payment is authorized after it was closed',
    (d) => {
      append(d.ledgers.payment, 'payment.authorization-made', { reference: 'never' });
    },
  ],
  ['E5', 'the bank voids what was never authorized', (d) => bankLine(d, 'void', 'greedy', 0)],
  [
    'E6',
    'stock is released before the payment is voided',
    (d) => {
      const [voided, released] = [
        find(d.ledgers.payment, 'payment.authorization-voided', 'slow'),
        find(d.ledgers.catalog, 'catalog.reservation-released', 'slow'),
      ];
      [voided.time, released.time] = [released.time, voided.time];
    },
  ],
  [
    'E6',
    'a confirmed order is compensated',
    (d) => {
      append(d.ledgers.catalog, 'catalog.reservation-released', { orderId: 'good' });
    },
  ],
  [
    'E7',
    'a rejected order holds stock',
    (d) => {
      append(d.ledgers.catalog, 'catalog.stock-held', { sku: 'mug', orderId: 'greedy', quantity: 1 });
      d.shelf.set('mug', 17);
    },
  ],
  ['E7', 'an authorization of a rejected order stays open', (d) => bankLine(d, 'authorize', 'greedy', 100)],
  [
    'E7',
    'a confirmed order is charged through another one',
    (d) => {
      for (const line of d.ledgers.bank) if (line.reference === 'good') (line as { reference: string }).reference = 'x';
    },
  ],
  [
    'E7',
    'a confirmed order holds less than was ordered',
    (d) => {
      const held = find(d.ledgers.catalog, 'catalog.stock-held', 'good');
      held.data = { ...held.data, quantity: 1 };
      d.shelf.set('mug', 19);
    },
  ],
  [
    'E8',
    'an order is rejected after it was rejected',
    (d) => {
      append(d.ledgers.order, 'order.rejected', { orderId: 'greedy' });
    },
  ],
  [
    'E8',
    'a saga turns after its end',
    (d) => {
      append(d.ledgers.orchestrator, 'saga.turned', { id: 'good' });
    },
  ],
  [
    'E8',
    'a feed has a gap',
    (d) => {
      find(d.ledgers.payment, 'payment.payment-closed', 'never').position += 100;
    },
  ],
  [
    'E9',
    'an accepted order is nowhere',
    (d) => {
      d.calls.push({ key: 'k', customerId: 'c', outcome: 'ok', orderId: 'lost', status: 202 });
    },
  ],
  [
    'E9',
    'one key is answered with two orders',
    (d) => {
      d.calls.push({
        key: 'key of good',
        customerId: 'customer of good',
        outcome: 'ok',
        orderId: 'greedy',
        status: 202,
      });
    },
  ],
  [
    'E9',
    'a call without an answer placed a second order',
    (d) => {
      const placed = find(d.ledgers.order, 'order.placed', 'good').data;
      append(d.ledgers.order, 'order.placed', { ...placed, orderId: 'twin' });
      append(d.ledgers.order, 'order.rejected', { orderId: 'twin' });
    },
  ],
];

describe('the checker', () => {
  it('finds nothing in a good history', () => {
    expect(check(goodHistory() as Evidence)).toEqual([]);
  });

  it.each(FAULTS)('reports %s, and nothing else, when %s', (code, _, seed) => {
    const draft = goodHistory();
    seed(draft);
    const violations = check(draft as Evidence);
    expect([...new Set(violations.map((violation) => violation.code))]).toEqual([code]);
  });

  it('has seen every rule broken', () => {
    expect([...new Set(FAULTS.map(([code]) => code))]).toEqual(INVARIANTS.map(([code]) => code));
  });

  it('finds orders that exist for the client only', () => {
    const draft = goodHistory();
    draft.ledgers.order.length = 0;
    expect(check(draft as Evidence).map(({ code }) => code)).toContain('E9');
  });
});
