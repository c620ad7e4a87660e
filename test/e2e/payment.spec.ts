import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InMemoryPartitionStore, Publisher } from '@millrace/broker';
import type { INestApplication } from '@nestjs/common';
import { Authorize, Capture, Refund, Void } from '@shop/contracts/payment';
import { createApp } from '@shop/payment';
import request from 'supertest';
import { until } from './until.js';

describe('the payment service', () => {
  const folder = mkdtempSync(join(tmpdir(), 'payment-'));
  let app: INestApplication;
  beforeAll(async () => {
    const bankLedger = join(folder, 'bank.ndjson');
    app = await createApp({ store: new InMemoryPartitionStore(), logger: false, bankLedger });
    await app.init();
  });
  afterAll(async () => {
    await app.close();
    rmSync(folder, { recursive: true });
  });

  const http = () => request(app.getHttpServer());
  const send = async (...commands: object[]) => {
    for (const command of commands) await app.get(Publisher).send(command);
  };
  const authorize = (reference: string, method = 'card-ok') =>
    new Authorize({ reference, amountMinor: 500, ccy: 'EUR', method });
  const becomes = (reference: string, status: string) =>
    until(async () => (await http().get(`/payments/${reference}`)).body.status === status);
  const ledger = async (reference: string) => {
    const { entries, bank } = (await http().get('/ledger').expect(200)).body;
    const own = ({ data }: { data: { reference: string } }) => data.reference === reference;
    return {
      types: entries.filter(own).map(({ type }: { type: string }) => type.replace('payment.', '')),
      bank: bank
        .filter((line: { reference: string }) => line.reference === reference)
        .map((line: { op: string }) => line.op),
    };
  };

  it('authorizes, captures and refunds, each once however often it is asked to', async () => {
    const reference = 'r1';
    await send(authorize(reference), authorize(reference), new Capture({ reference }), new Capture({ reference }));
    await becomes(reference, 'captured');
    await send(new Refund({ reference }), new Refund({ reference }), new Void({ reference }));
    await becomes(reference, 'refunded');
    expect(await ledger(reference)).toEqual({
      types: ['authorization-made', 'charge-captured', 'charge-refunded'],
      bank: ['authorize', 'capture', 'refund'],
    });
  });

  it('declines, and captures nothing then', async () => {
    const reference = 'r2';
    await send(authorize(reference, 'card-declined'), new Capture({ reference }), new Void({ reference }));
    await becomes(reference, 'capture-refused');
    expect(await ledger(reference)).toEqual({
      types: ['authorization-declined', 'capture-refused'],
      bank: ['decline'],
    });
  });

  it('voids what was authorized, and captures it no more', async () => {
    const reference = 'r3';
    await send(authorize(reference), new Void({ reference }), new Void({ reference }), new Capture({ reference }));
    await becomes(reference, 'capture-refused');
    expect((await ledger(reference)).bank).toEqual(['authorize', 'void']);
  });

  it('never asks the bank for a payment that was voided before it was authorized', async () => {
    const reference = 'r4';
    await send(new Void({ reference }), authorize(reference), new Capture({ reference }));
    await becomes(reference, 'capture-refused');
    expect(await ledger(reference)).toEqual({ types: ['payment-closed', 'capture-refused'], bank: [] });
  });

  it('never captures a payment that was refunded before it was captured', async () => {
    const reference = 'r5';
    await send(authorize(reference), new Refund({ reference }), new Capture({ reference }), new Void({ reference }));
    await becomes(reference, 'voided');
    expect(await ledger(reference)).toEqual({
      types: ['authorization-made', 'payment-closed', 'capture-refused', 'authorization-voided'],
      bank: ['authorize', 'void'],
    });
  });

  it('lists payments and knows no others', async () => {
    expect((await http().get('/payments').expect(200)).body.length).toBeGreaterThan(0);
    await http().get('/payments/unknown').expect(404);
    await http().get('/payments/%7B*%7D').expect(404);
  });

  it('has a book of the bank in which every line has the same fields', async () => {
    const { bank } = (await http().get('/ledger')).body;
    for (const line of bank) expect(Object.keys(line)).toEqual(['at', 'op', 'key', 'reference', 'amountMinor', 'ccy']);
  });
});
