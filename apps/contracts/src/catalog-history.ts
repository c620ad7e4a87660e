import { upcast } from '@millrace/transforms';
import { ProductAdded } from './catalog.js';

/** Until the shop sold in other currencies, a price was a number of euro cents. */
interface ProductAddedV1 {
  readonly sku: string;
  readonly name: string;
  readonly price: number;
  readonly stock: number;
}

/** What brings the catalog's stored events to what they are today, for whoever reads its feed. */
export const catalogHistory = [
  upcast(ProductAdded, { from: 1, to: 2 }, ({ price, ...product }: ProductAddedV1) => ({
    ...product,
    price: { amount: price, currency: 'EUR' },
  })),
];
