import type { LedgerEntry, Violation } from './evidence.js';
import type { Invariant } from './history.js';
import { inSequence, text } from './history.js';

/** Stock is never negative at any moment, and every piece is on the shelf or held. */
export const stockAddsUp: Invariant = ({ evidence }) =>
  [...bySku(evidence.ledgers.catalog)].flatMap(([sku, entries]) => {
    const { available, lowest } = replay(entries);
    const violation = (what: string): Violation => ({ code: 'E3', subject: sku, text: what });
    const added = entries.some(({ type }) => type === 'catalog.product-added');
    const shelf = evidence.shelf.get(sku);
    return [
      ...(lowest < 0 ? [violation(`stock fell to ${lowest}`)] : []),
      ...(added && shelf !== available
        ? [violation(`${available} must be left by the ledger, the catalog says ${shelf ?? 'nothing'}`)]
        : []),
    ];
  });

function bySku(ledger: readonly LedgerEntry[]): Map<string, LedgerEntry[]> {
  const skus = new Map<string, LedgerEntry[]>();
  for (const entry of inSequence(ledger)) {
    if (entry.data.sku === undefined) continue;
    const sku = text(entry.data.sku);
    if (!skus.has(sku)) skus.set(sku, []);
    skus.get(sku)!.push(entry);
  }
  return skus;
}

function replay(entries: readonly LedgerEntry[]): { available: number; lowest: number } {
  let available = 0;
  let lowest = 0;
  for (const { type, data } of entries) {
    if (type === 'catalog.product-added') available += Number(data.stock);
    if (type === 'catalog.stock-held') available -= Number(data.quantity);
    if (type === 'catalog.stock-returned') available += Number(data.quantity);
    lowest = Math.min(lowest, available);
  }
  return { available, lowest };
}
