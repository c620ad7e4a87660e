import { eventually, get, post } from '../shop/http.js';
import type { Shop } from '../shop/shop.js';
import type { PlannedProduct } from './plan.js';

/**
 * Adds the products to the catalog and waits until the order service, which keeps a copy of its own, can sell them.
 *
 * @throws Error when the catalog refuses one, or the order service does not hear of them
 */
export async function stockShelves(shop: Shop, products: readonly PlannedProduct[]): Promise<void> {
  for (const product of products) {
    const { status, body } = await post(`${shop.urls.catalog}/products`, product);
    if (status >= 300) throw new Error(`The catalog refused ${product.sku}: ${status} ${JSON.stringify(body)}`);
  }
  await eventually('the order service to know the products', 30_000, async () => {
    const known = new Set(listOf(await get(`${shop.urls.order}/products`)).map(({ sku }) => sku));
    return products.every(({ sku }) => known.has(sku)) ? true : undefined;
  });
}

function listOf(body: unknown): { sku: string }[] {
  return Array.isArray(body) ? (body as { sku: string }[]) : (body as { products: { sku: string }[] }).products;
}
