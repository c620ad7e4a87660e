import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Broker, InMemoryPartitionStore, UnitOfWork } from '@millrace/broker';
import { Repository } from '@millrace/event-store';
import { Authorize, Authorized, Capture, Captured, Refund, Refunded, Void } from '@shop/contracts/payment';
import { FileBank } from '../bank/file-bank.js';
import { Payment } from '../domain/payment.js';
import { PaymentHandlers } from './payment-handlers.js';

describe('a payment whose process dies between the bank and the commit', () => {
  const reference = 'r1';
  const authorize = new Authorize({ reference, amountMinor: 500, ccy: 'EUR', method: 'card-ok' });
  const folder = mkdtempSync(join(tmpdir(), 'payments-'));
  const book = join(folder, 'bank.ndjson');
  const broker = new Broker(new InMemoryPartitionStore(), { context: 'payment' });
  const payments = new Repository(broker, Payment);
  afterAll(() => rmSync(folder, { recursive: true }));

  /** A process of its own: nothing but the bank's book and the store outlive it. */
  const handle = async <R>(work: (handlers: PaymentHandlers) => Promise<R>, dies = false): Promise<R> => {
    const unit = new UnitOfWork();
    const reply = await unit.run(() => work(new PaymentHandlers(payments, new FileBank(book))));
    if (!dies) await broker.commit(await unit.toCommit(broker.partitionFor(reference)));
    return reply;
  };
  const ops = () => new FileBank(book).entries().map(({ op }) => op);

  it('is authorized, captured and refunded once, with the same answers', async () => {
    const lost = await handle((handlers) => handlers.authorize(authorize), true);
    expect(await handle((handlers) => handlers.authorize(authorize))).toEqual(lost);
    expect(lost).toBeInstanceOf(Authorized);

    await handle((handlers) => handlers.capture(new Capture({ reference })), true);
    expect((await payments.load(reference)).status).toBe('authorized');
    expect(await handle((handlers) => handlers.capture(new Capture({ reference })))).toBeInstanceOf(Captured);

    await handle((handlers) => handlers.refund(new Refund({ reference })), true);
    expect(await handle((handlers) => handlers.refund(new Refund({ reference })))).toBeInstanceOf(Refunded);
    expect((await payments.load(reference)).status).toBe('refunded');
    expect(ops()).toEqual(['authorize', 'capture', 'refund']);
  });

  it('leaves nothing open at the bank when its command was given up', async () => {
    const other = 'r2';
    await handle((handlers) => handlers.authorize(new Authorize({ ...authorize, reference: other })), true);
    await handle((handlers) => handlers.void(new Void({ reference: other })), true);
    expect(ops().slice(3)).toEqual(['authorize', 'void']);
  });
});
