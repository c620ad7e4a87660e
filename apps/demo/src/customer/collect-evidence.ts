import { check } from '../checker/check.js';
import type { BankEntry, Call, Evidence, LedgerEntry, Violation } from '../checker/evidence.js';
import { get, pause } from '../shop/http.js';
import type { Shop } from '../shop/shop.js';
import { parkedOrders } from './order-watch.js';

/** A whole ledger is one answer. */
const LEDGER_TIMEOUT_MS = 60_000;

/**
 * Collects the ledgers and checks them. Ledgers only grow, so what is wrong stays wrong; what is only late, such as a read
 * model or a saga's last event, gets some seconds.
 *
 * @param catchUpMs how long
 */
export async function judge(shop: Shop, calls: readonly Call[], catchUpMs: number): Promise<Violation[]> {
  const deadline = Date.now() + catchUpMs;
  for (;;) {
    const violations = check(await collectEvidence(shop, calls));
    if (violations.length === 0 || Date.now() > deadline) return violations;
    await pause(500);
  }
}

async function collectEvidence(shop: Shop, calls: readonly Call[]): Promise<Evidence> {
  const { catalog, order, payment, orchestrator } = shop.urls;
  const parked = await parkedOrders(shop);
  const [stock, sold, paid, coordinated] = await Promise.all([catalog, order, payment, orchestrator].map(ledgerOf));
  const products = await get<unknown>(`${catalog}/products`, LEDGER_TIMEOUT_MS);
  const shelf = (Array.isArray(products) ? products : (products as { products: unknown[] }).products) as Product[];
  return {
    calls,
    ledgers: {
      catalog: stock!.entries,
      order: sold!.entries,
      payment: paid!.entries,
      orchestrator: coordinated!.entries,
      bank: paid!.bank ?? [],
    },
    shelf: new Map(shelf.map(({ sku, available }) => [sku, available])),
    parked,
  };
}

interface Product {
  readonly sku: string;
  readonly available: number;
}

interface LedgerAnswer {
  readonly entries: readonly LedgerEntry[];
  /** Of the payment service only. */
  readonly bank?: readonly BankEntry[];
}

function ledgerOf(url: string): Promise<LedgerAnswer> {
  return get<LedgerAnswer>(`${url}/ledger`, LEDGER_TIMEOUT_MS);
}
