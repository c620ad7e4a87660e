import { readFileSync } from 'node:fs';
import type { Envelope } from '@millrace/messages';
import { pipeline } from '@millrace/transforms';
import { catalogHistory } from '@shop/contracts/catalog-history';
import { fromCatalog, ProductOffered } from './product-words.js';

/** A message as the catalog has stored it. */
const golden = (name: string) => JSON.parse(readFileSync(`test/golden/${name}.json`, 'utf8')) as Envelope;

describe('a product that the catalog adds', () => {
  const understood = pipeline([...catalogHistory, ...fromCatalog]);

  it.each([
    ['catalog.product-added.v1', { sku: 'mug', name: 'Mug', price: { amount: 1290, currency: 'EUR' } }],
    ['catalog.product-added.v2', { sku: 'pen', name: 'Pen', price: { amount: 250, currency: 'CHF' } }],
  ])('is offered, in whatever version it was stored: %s', (name, offered) => {
    const stored = golden(name);
    const message = understood(stored);
    expect(message).toMatchObject({ type: 'order.product-offered', id: stored.id, partitionkey: offered.sku });
    expect(message).not.toHaveProperty('schemaversion');
    expect(message.data).toEqual(new ProductOffered(offered));
  });
});
