import type { OrderKind } from './plan.js';
import { planOrders } from './plan.js';

const KINDS: OrderKind[] = ['plain', 'out-of-stock', 'declined', 'slow-authorize', 'slow-capture'];

describe('a plan', () => {
  it('is decided by its seed', () => {
    expect(planOrders(7, 50)).toEqual(planOrders(7, 50));
    expect(planOrders(8, 50)).not.toEqual(planOrders(7, 50));
  });

  it.each([1, 2, 9, 10, 11, 60, 300])('has exactly %i orders', (count) => {
    expect(planOrders(1, count).orders).toHaveLength(count);
  });

  it.each([10, 11, 60, 300])('of %i orders has every kind, and most succeed', (count) => {
    const kinds = planOrders(3, count).orders.map(({ kind }) => kind);
    expect(new Set(kinds)).toEqual(new Set(KINDS));
    expect(kinds.filter((kind) => kind === 'plain').length).toBeGreaterThanOrEqual(count / 2);
  });

  it('has stock for every order but those that want more than there is', () => {
    const { orders, products } = planOrders(5, 200);
    const stock = new Map(products.map(({ sku, stock }) => [sku, stock]));
    for (const { kind, lines } of orders) {
      const tooMuch = lines.some(({ sku, quantity }) => quantity > stock.get(sku)!);
      expect(tooMuch).toBe(kind === 'out-of-stock');
      if (tooMuch) continue;
      for (const { sku, quantity } of lines) stock.set(sku, stock.get(sku)! - quantity);
    }
    expect(Math.min(...stock.values())).toBeGreaterThanOrEqual(0);
  });

  it('gives every order a key and a customer of its own, and two runs share nothing', () => {
    const [one, other] = [planOrders(1, 40, 'a'), planOrders(1, 40, 'b')];
    const ids = [...one.orders, ...other.orders].flatMap(({ key, customerId }) => [key, customerId]);
    expect(new Set(ids).size).toBe(160);
    expect(one.products.some(({ sku }) => other.products.some((product) => product.sku === sku))).toBe(false);
  });

  it('sends some orders twice', () => {
    expect(planOrders(1, 5).orders.some(({ sentTwice }) => sentTwice)).toBe(true);
  });
});
