import type { Invariant, OrderHistory } from './history.js';
import { booked } from './history.js';

/** A rejected order keeps no money and no stock. A confirmed one is charged its total once and holds all its lines. */
export const outcomesAreWhole: Invariant = ({ orders }) =>
  [...orders.values()].flatMap((order) => {
    const faults = [
      ...(order.rejected.length > 0 ? keptByRejected(order) : []),
      ...(order.confirmed.length > 0 ? missingInConfirmed(order) : []),
    ];
    return faults.map((text) => ({ code: 'E7', subject: order.orderId, text }));
  });

function keptByRejected({ bank, catalog }: OrderHistory): string[] {
  const net = booked(bank, 'capture') - booked(bank, 'refund');
  const open = count(bank, 'authorize') > 0 && count(bank, 'void') + count(bank, 'capture') === 0;
  const held = [...holdings(catalog)].filter(([, quantity]) => quantity !== 0);
  return [
    ...(net !== 0 ? [`rejected, but the bank kept ${net}`] : []),
    ...(open ? ['rejected, but the authorization is open'] : []),
    ...held.map(([sku, quantity]) => `rejected, but holds ${quantity} of ${sku}`),
  ];
}

function missingInConfirmed({ placed, bank, catalog }: OrderHistory): string[] {
  const order = placed[0]?.data;
  if (!order) return [];
  const captures = bank.filter(({ op }) => op === 'capture');
  const [charge] = captures;
  const exact = charge?.amountMinor === order.total.amount && charge.ccy === order.total.currency;
  const held = holdings(catalog);
  const ordered = new Map<string, number>();
  for (const { sku, quantity } of order.lines) ordered.set(sku, (ordered.get(sku) ?? 0) + quantity);
  return [
    ...(captures.length === 1 && exact
      ? []
      : [
          `confirmed for ${order.total.amount}, charges: ${captures.map((line) => line.amountMinor).join(', ') || 'none'}`,
        ]),
    ...[...ordered]
      .filter(([sku, quantity]) => held.get(sku) !== quantity)
      .map(([sku, quantity]) => `confirmed with ${quantity} of ${sku}, but holds ${held.get(sku) ?? 0}`),
  ];
}

/** Held minus returned pieces, by SKU. */
function holdings(catalog: OrderHistory['catalog']): Map<string, number> {
  const held = new Map<string, number>();
  for (const { type, data } of catalog) {
    const sign = type === 'catalog.stock-held' ? 1 : type === 'catalog.stock-returned' ? -1 : 0;
    if (sign !== 0) held.set(String(data.sku), (held.get(String(data.sku)) ?? 0) + sign * Number(data.quantity));
  }
  return held;
}

function count(bank: OrderHistory['bank'], op: OrderHistory['bank'][number]['op']): number {
  return bank.filter((line) => line.op === op).length;
}
