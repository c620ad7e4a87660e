import { InMemoryPartitionStore } from '@millrace/broker';
import type { INestApplication } from '@nestjs/common';
import { createApp as createCatalog } from '@shop/catalog';
import { createApp } from '@shop/order';
import request from 'supertest';
import { until } from './until.js';

describe('the order service', () => {
  const apps: INestApplication[] = [];
  let app: INestApplication;
  beforeAll(async () => {
    const store = new InMemoryPartitionStore();
    // The order service first: services start in any order.
    apps.push((app = await createApp({ store, logger: false })));
    await app.init();
    const catalog = await createCatalog({ store, logger: false });
    apps.push(await catalog.init());
    for (const [sku, currency] of [
      ['mug', 'EUR'],
      ['cup', 'EUR'],
      ['bowl', 'CHF'],
    ] as const) {
      const product = { sku, name: sku, price: { amount: 990, currency }, stock: 5 };
      await request(catalog.getHttpServer()).post('/products').send(product).expect(201);
    }
    await until(async () => (await http().get('/products')).body.length === 3);
  });
  afterAll(() => Promise.all(apps.map((each) => each.close())));

  const http = () => request(app.getHttpServer());
  const order = {
    customerId: 'c1',
    lines: [
      { sku: 'mug', quantity: 2 },
      { sku: 'cup', quantity: 1 },
    ],
    currency: 'EUR',
    paymentMethod: 'card-ok',
  };
  const place = (body: object, key?: string) => {
    const post = http().post('/orders');
    return (key === undefined ? post : post.set('Idempotency-Key', key)).send(body);
  };
  const placedOrders = async () =>
    (await http().get('/ledger')).body.entries.filter((entry: { type: string }) => entry.type === 'order.placed');

  it('knows the products of the catalog', async () => {
    const { body } = await http().get('/products').expect(200);
    expect(body.map(({ sku }: { sku: string }) => sku)).toEqual(['bowl', 'cup', 'mug']);
    expect(body[2]).toEqual({ sku: 'mug', name: 'mug', price: { amount: 990, currency: 'EUR' } });
  });

  it('accepts an order at the prices it knows, and shows it at once, by its id and in the list', async () => {
    const { body } = await place(order).expect(201);
    expect(body).toEqual({ orderId: expect.any(String), status: 'placed', total: { amount: 2970, currency: 'EUR' } });
    const { body: found } = await http().get(`/orders/${body.orderId}`).expect(200);
    expect(found).toMatchObject({
      orderId: body.orderId,
      status: 'placed',
      lines: [{ unitPrice: 990 }, { sku: 'cup' }],
    });
    const { body: list } = await http().get('/orders?limit=1').expect(200);
    expect(list).toMatchObject([{ orderId: body.orderId, customerId: 'c1', placedAt: expect.any(String) }]);
    await http().get('/orders?status=confirmed').expect(200, []);
  });

  it('lists the newest first, as many as asked, of the status asked', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 3; n++) {
      ids.unshift((await place(order).expect(201)).body.orderId);
      const end = Date.now() + 2; // orders of one millisecond are in no particular order
      await until(async () => Date.now() > end);
    }
    const listed = async (query: string) =>
      (await http().get(`/orders?${query}`).expect(200)).body.map(({ orderId }: { orderId: string }) => orderId);
    expect(await listed('limit=2')).toEqual(ids.slice(0, 2));
    expect((await listed('status=placed')).slice(0, 3)).toEqual(ids);
    expect(await listed('status=rejected')).toEqual([]);
  });

  it('places one order for one key, however often and at the same time', async () => {
    const before = (await placedOrders()).length;
    const answers = await Promise.all(Array.from({ length: 20 }, () => place(order, 'key-1').expect(201)));
    expect(new Set(answers.map(({ body }) => body.orderId)).size).toBe(1);
    expect((await placedOrders()).length).toBe(before + 1);
    const { body } = await place({ ...order, customerId: 'c2' }, 'key-1').expect(422);
    expect(body).toMatchObject({ statusCode: 422, errors: [{ field: 'Idempotency-Key', reason: expect.any(String) }] });
  });

  it.each([
    ['an unknown product', { ...order, lines: [{ sku: 'spoon', quantity: 1 }] }, ['lines.0.sku']],
    ['another currency than the products have', { ...order, currency: 'USD' }, ['currency', 'currency']],
    ['products of two currencies', { ...order, lines: [...order.lines, { sku: 'bowl', quantity: 1 }] }, ['currency']],
  ])('cannot place %s', async (_what, body, fields) => {
    const { body: refusal } = await place(body).expect(422);
    expect(refusal.errors.map((error: { field: string }) => error.field)).toEqual(fields);
  });

  it.each([
    ['an empty object', {}, ['customerId', 'lines', 'currency', 'paymentMethod']],
    ['no line', { ...order, lines: [] }, ['lines']],
    [
      '10,000 lines',
      { ...order, lines: Array.from({ length: 10_000 }, (_, n) => ({ sku: `s${n}`, quantity: 1 })) },
      ['lines'],
    ],
    ['two lines for one SKU', { ...order, lines: [...order.lines, { sku: 'mug', quantity: 1 }] }, ['lines']],
    ['a text instead of lines', { ...order, lines: 'mug' }, ['lines']],
    ['a line that is null', { ...order, lines: [null] }, ['lines.0']],
    ['a quantity of zero', { ...order, lines: [{ sku: 'mug', quantity: 0 }] }, ['lines.0.quantity']],
    ['a quantity in fractions', { ...order, lines: [{ sku: 'mug', quantity: 1.5 }] }, ['lines.0.quantity']],
    ['a quantity beyond the limit', { ...order, lines: [{ sku: 'mug', quantity: 1001 }] }, ['lines.0.quantity']],
    ['a quantity written as text', { ...order, lines: [{ sku: 'mug', quantity: '2' }] }, ['lines.0.quantity']],
    [
      'a line with a price of its own',
      { ...order, lines: [{ sku: 'mug', quantity: 1, unitPrice: 1 }] },
      ['lines.0.unitPrice'],
    ],
    ['an unknown method of payment', { ...order, paymentMethod: 'cash' }, ['paymentMethod']],
    ['a currency that does not exist', { ...order, currency: 'EURO' }, ['currency']],
    ['a customer that is an object', { ...order, customerId: { $ne: '' } }, ['customerId']],
    ['a total of the customer', { ...order, total: 1 }, ['total']],
  ])('refuses %s, field by field', async (_what, body, fields) => {
    const { body: refusal } = await place(body).expect(400);
    expect(refusal.errors.map((error: { field: string }) => error.field)).toEqual(fields);
    for (const { reason } of refusal.errors) expect(reason).toEqual(expect.stringMatching(/\w/));
  });

  it('refuses a key that is too long or empty', async () => {
    for (const key of ['k'.repeat(129), '']) {
      const { body } = await place(order, key).expect(400);
      expect(body.errors).toEqual([{ field: 'Idempotency-Key', reason: 'must be 1 to 128 characters' }]);
    }
  });

  it.each(['status=lost', 'limit=0', 'limit=many', 'limit=1001', 'page=1'])('refuses the query %s', async (query) => {
    const { body } = await http().get(`/orders?${query}`).expect(400);
    expect(body.errors).toMatchObject([{ field: query.split('=')[0] }]);
  });

  it.each(['1', '7b0c4d64-3b5f-4a52-9b39-0c9d1f4f4a11', '%7B*%7D'])('knows no order %s', async (id) => {
    const { body } = await http().get(`/orders/${id}`).expect(404);
    expect(body).toMatchObject({ statusCode: 404, errors: [{ field: 'id' }] });
  });
});
