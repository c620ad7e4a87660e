import { goldenHistory } from '@millrace/testing';
import { catalogHistory } from './catalog-history.js';
import { ProductAdded } from './catalog.js';

describe('the catalog of today', () => {
  it('understands all that it ever stored', () => {
    const replayed = goldenHistory('test/golden').replay(catalogHistory);

    expect(replayed.map(({ from, data }) => [from, data])).toEqual([
      [1, new ProductAdded({ sku: 'mug', name: 'Mug', price: { amount: 1290, currency: 'EUR' }, stock: 20 })],
      [2, new ProductAdded({ sku: 'pen', name: 'Pen', price: { amount: 250, currency: 'CHF' }, stock: 5 })],
    ]);
  });
});
