import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { INestApplication } from '@nestjs/common';
import { createApp as createCatalog } from '@shop/catalog';
import { createApp as createOrchestrator } from '@shop/orchestrator';
import { createApp as createOrder } from '@shop/order';
import { createApp as createPayment } from '@shop/payment';
import request from 'supertest';
import { until } from './until.js';

interface LedgerLine {
  readonly type: string;
  readonly op: string;
  readonly reference: string;
  readonly causationid?: string;
  readonly data: { readonly orderId?: string; readonly reference?: string; readonly id?: string };
}

describe('the shop on Redis', () => {
  const folder = mkdtempSync(join(tmpdir(), 'shop-'));
  const apps: Record<string, INestApplication> = {};
  const http = (name: string) => request(apps[name]!.getHttpServer());

  beforeAll(async () => {
    const options = {
      redisUrl: process.env.TEST_REDIS_URL!,
      namespace: `t-${randomUUID().slice(0, 8)}`,
      bankLedger: join(folder, 'bank.ndjson'),
      logger: false,
    } as const;
    apps.orchestrator = await createOrchestrator(options);
    apps.order = await createOrder(options);
    apps.payment = await createPayment(options);
    apps.catalog = await createCatalog(options);
    await Promise.all(Object.values(apps).map((app) => app.init()));
    for (const sku of ['cup', 'mug']) {
      const product = { sku, name: sku, price: { amount: 990, currency: 'EUR' }, stock: 10 };
      await http('catalog').post('/products').send(product).expect(201);
    }
    await until(async () => (await http('order').get('/products')).body.length === 2);
  });
  afterAll(async () => {
    await Promise.all(Object.values(apps).map((app) => app.close()));
    rmSync(folder, { recursive: true });
  });

  const place = async (paymentMethod: string, quantity = 1): Promise<string> => {
    const lines = [
      { sku: 'mug', quantity },
      { sku: 'cup', quantity: 1 },
    ];
    const order = { customerId: 'c1', lines, currency: 'EUR', paymentMethod };
    return (await http('order').post('/orders').send(order).expect(201)).body.orderId;
  };
  const ended = async (orderId: string) => {
    const look = async () => (await http('order').get(`/orders/${orderId}`)).body;
    await until(async () => (await look()).status !== 'placed');
    return look();
  };
  const ledgers = async (orderId: string) => {
    const of = async (name: string) => (await http(name).get('/ledger').expect(200)).body;
    const about = ({ data }: LedgerLine) => [data.orderId, data.reference, data.id].includes(orderId);
    const types = (lines: LedgerLine[]) => lines.filter(about).map(({ type }) => type.slice(type.indexOf('.') + 1));
    const payment = await of('payment');
    return {
      catalog: types((await of('catalog')).entries),
      payment: types(payment.entries),
      bank: payment.bank.filter((line: LedgerLine) => line.reference === orderId).map(({ op }: LedgerLine) => op),
      saga: types((await of('orchestrator')).entries),
    };
  };
  const available = async () => {
    const { body } = await http('catalog').get('/products').expect(200);
    return body.map((product: { available: number }) => product.available);
  };

  it('confirms an order that can be fulfilled and paid', async () => {
    const orderId = await place('card-ok', 2);
    expect(await ended(orderId)).toMatchObject({ status: 'confirmed', total: { amount: 2970, currency: 'EUR' } });
    await until(async () => (await ledgers(orderId)).saga.includes('ended'));
    expect(await ledgers(orderId)).toEqual({
      catalog: ['stock-held', 'stock-held', 'reservation-made'],
      payment: ['authorization-made', 'charge-captured'],
      bank: ['authorize', 'capture'],
      saga: ['started', 'ended'],
    });
    await until(async () => (await available()).join() === '9,8');
    await until(async () => (await http('payment').get(`/payments/${orderId}`)).body.status === 'captured');
  });

  it('rejects an order that is short of stock, and touches no money', async () => {
    const orderId = await place('card-ok', 11);
    expect(await ended(orderId)).toMatchObject({ status: 'rejected', reason: 'mug: 11 wanted, 8 available' });
    expect(await ledgers(orderId)).toMatchObject({ catalog: ['reservation-refused'], payment: [], bank: [] });
  });

  it('rejects an order whose card is declined, and keeps no stock', async () => {
    const orderId = await place('card-declined');
    expect(await ended(orderId)).toMatchObject({ status: 'rejected', reason: 'card-declined' });
    expect((await ledgers(orderId)).catalog.slice(3)).toEqual([
      'reservation-released',
      'stock-returned',
      'stock-returned',
    ]);
    await until(async () => (await available()).join() === '9,8');
  });

  it.each([
    ['authorizing', 'card-slow', ['authorize', 'void'], ['authorization-made', 'authorization-voided']],
    [
      'capturing',
      'card-slow-capture',
      ['authorize', 'capture', 'refund'],
      ['authorization-made', 'charge-captured', 'charge-refunded'],
    ],
  ])('undoes everything when the bank is too slow at %s', async (_what, method, bank, payment) => {
    const orderId = await place(method);
    expect(await ended(orderId)).toMatchObject({ status: 'rejected' });
    expect(await ledgers(orderId)).toMatchObject({ bank, payment });
    await until(async () => (await available()).join() === '9,8');
  });

  it('shows each saga with its history', async () => {
    const orderId = await place('card-declined');
    await ended(orderId);
    await until(async () => (await http('orchestrator').get(`/sagas/${orderId}`)).body.status === 'compensated');
    const { body } = await http('orchestrator').get(`/sagas/${orderId}`).expect(200);
    expect(body).toMatchObject({ id: orderId, saga: 'place-order', reason: 'card-declined' });
    expect(body.history.map(({ step, what }: { step: string; what: string }) => [step, what])).toEqual([
      ['saga', 'started'],
      ['reserve stock', 'sent'],
      ['reserve stock', 'done'],
      ['authorize payment', 'sent'],
      ['authorize payment', 'refused'],
      ['reserve stock', 'sent'],
      ['reserve stock', 'done'],
      ['rejection', 'sent'],
      ['rejection', 'done'],
      ['saga', 'compensated'],
    ]);
  });

  it('lists and counts the sagas', async () => {
    const first = await place('card-declined');
    await ended(first);
    const second = await place('card-declined');
    await ended(second);
    await until(async () => (await http('orchestrator').get(`/sagas/${second}`)).body.status === 'compensated');
    const { body: newest } = await http('orchestrator').get('/sagas?status=compensated&limit=1').expect(200);
    expect(newest.sagas).toMatchObject([{ id: second, step: 'authorize payment', reason: 'card-declined' }]);
    const { body: next } = await http('orchestrator').get(`/sagas?status=compensated&limit=1&cursor=${newest.cursor}`);
    expect(next.sagas).toMatchObject([{ id: first }]);
    await http('orchestrator').get('/sagas?status=parked').expect(200, { sagas: [] });
    const { body: counts } = await http('orchestrator').get('/sagas/counts').expect(200);
    expect(counts).toMatchObject({ compensated: expect.any(Number), parked: 0 });
    expect(counts.compensated).toBeGreaterThanOrEqual(2);
  });

  it('refuses queries and knows no sagas that do not exist', async () => {
    const { body } = await http('orchestrator').get('/sagas?status=lost').expect(400);
    expect(body.errors).toMatchObject([{ field: 'status' }]);
    const { body: page } = await http('orchestrator').get('/sagas?cursor=lost').expect(400);
    expect(page.errors).toMatchObject([{ field: 'cursor' }]);
    await http('orchestrator').get('/sagas/unknown').expect(404);
    await http('orchestrator').get('/sagas/%7B*%7D').expect(404);
  });

  it.each(['catalog', 'order', 'payment', 'orchestrator'])('finds %s healthy and documented', async (name) => {
    const { body } = await http(name).get('/health').expect(200);
    expect(body.details.store.server).toMatch(/Redis|Valkey/);
    expect(body.details.readModels.status).toBe('up');
    expect((await http(name).get('/asyncapi.json').expect(200)).body.asyncapi).toBe('3.0.0');
    expect((await http(name).get('/docs-json').expect(200)).body.info.title).toBe(name);
  });
});
