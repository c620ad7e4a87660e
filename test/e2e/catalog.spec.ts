import { InMemoryPartitionStore } from '@millrace/broker';
import type { INestApplication } from '@nestjs/common';
import { createApp } from '@shop/catalog';
import request from 'supertest';

describe('the catalog service', () => {
  let app: INestApplication;
  beforeAll(async () => {
    app = await createApp({ store: new InMemoryPartitionStore(), logger: false });
    await app.init();
  });
  afterAll(() => app.close());

  const http = () => request(app.getHttpServer());
  const mug = { sku: 'mug', name: 'Mug', price: { amount: 990, currency: 'EUR' }, stock: 5 };

  it('adds products and lists them', async () => {
    const expected = { sku: 'mug', name: 'Mug', price: mug.price, available: 5, held: 0 };
    await http().post('/products').send(mug).expect(201, expected);
    await http().get('/products').expect(200, [expected]);
    await http().get('/products/mug').expect(200, expected);
  });

  it('refuses a SKU that is taken, and knows no others', async () => {
    const taken = {
      statusCode: 409,
      message: "there is a product 'mug' already",
      errors: [{ field: 'sku', reason: 'is taken' }],
    };
    await http().post('/products').send(mug).expect(409, taken);
    await http().get('/products/cup').expect(404);
    await http().get('/products/%7Bmug%7D*').expect(404);
  });

  it.each([
    ['an empty object', {}, ['sku', 'name', 'price', 'stock']],
    ['a list', [], ['sku', 'name', 'price', 'stock']],
    ['a SKU that cannot be part of a key', { ...mug, sku: '{mug}:*' }, ['sku']],
    ['a number for the SKU', { ...mug, sku: 7 }, ['sku']],
    ['no name', { ...mug, name: '' }, ['name']],
    ['a price without currency', { ...mug, price: { amount: 1 } }, ['price.currency']],
    ['a price of nothing', { ...mug, price: null }, ['price']],
    ['a price that is a list', { ...mug, price: [] }, ['price']],
    ['a price in fractions', { ...mug, price: { amount: 9.9, currency: 'EUR' } }, ['price.amount']],
    ['a price beyond exact numbers', { ...mug, price: { amount: 1e20, currency: 'EUR' } }, ['price.amount']],
    ['a currency that does not exist', { ...mug, price: { amount: 1, currency: 'XXQ' } }, ['price.currency']],
    ['a negative stock', { ...mug, stock: -1 }, ['stock']],
    ['a stock written as text', { ...mug, stock: '5' }, ['stock']],
    ['a field that nobody asked for', { ...mug, discount: 3 }, ['discount']],
  ])('refuses %s, field by field', async (_what, body, fields) => {
    const { body: refusal } = await http().post('/products').send(body).expect(400);
    expect(refusal).toMatchObject({ statusCode: 400, message: expect.any(String) });
    expect(refusal.errors.map((error: { field: string }) => error.field)).toEqual(fields);
    for (const { reason } of refusal.errors) expect(reason).toEqual(expect.stringMatching(/\w/));
  });

  it.each([
    ['no JSON', '{"sku":'],
    ['a text', '"mug"'],
    ['a key that reaches for prototypes', '{"__proto__":{"sku":"x"}}'],
  ])('refuses %s as a body', async (_what, text) => {
    const { body } = await http().post('/products').set('content-type', 'application/json').send(text).expect(400);
    expect(body.errors).toEqual([{ field: 'body', reason: expect.any(String) }]);
  });

  it('refuses a body that is too large', async () => {
    const { body } = await http()
      .post('/products')
      .send({ ...mug, name: 'x'.repeat(2_000_000) })
      .expect(413);
    expect(body).toMatchObject({ statusCode: 413, errors: [{ field: 'body' }] });
  });

  it('says how it is, what it offers and what it has written', async () => {
    const { body: health } = await http().get('/health').expect(200);
    expect(health).toMatchObject({ details: { store: { server: 'memory' }, readModels: { status: 'up' } } });
    const { body: docs } = await http().get('/docs-json').expect(200);
    expect(Object.keys(docs.paths)).toEqual(
      expect.arrayContaining(['/products', '/products/{sku}', '/ledger', '/health']),
    );
    await http().get('/docs').expect(200).expect('content-type', /html/);
    const { body: ledger } = await http().get('/ledger').expect(200);
    expect(ledger.entries).toMatchObject([
      {
        partition: 0,
        position: 1,
        type: 'catalog.product-added',
        subject: 'product-mug',
        id: expect.any(String),
        data: mug,
      },
    ]);
  });
});
