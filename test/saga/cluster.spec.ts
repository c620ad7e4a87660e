import { BrokerModule } from '@millrace/broker';
import { Saga, saga, SagaModule, Sagas } from '@millrace/saga';
import { Injectable, Module } from '@nestjs/common';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { PrivateCluster } from '../support/cluster.js';
import { eventually, freshNamespace, onTestFinished } from '../support/redis.js';
import { SkippingClock } from './meet.js';

interface Payment {
  readonly id: string;
  readonly account: string;
}

/** Books one payment of an account at a time. */
@Injectable()
class Ledger {
  readonly booked: string[] = [];
  /** Ids of payments that wait here for the test. */
  readonly held = new Set<string>();
  private readonly busy = new Set<string>();

  async book({ id, account }: Payment): Promise<void> {
    if (this.busy.has(account)) throw new Error(`two payments of ${account} at once`);
    this.busy.add(account);
    await eventually(() => expect(this.held.has(id)).toBe(false));
    this.booked.push(id);
    this.busy.delete(account);
  }
}

@Saga('receipt')
class Receipt {
  readonly definition = saga<{ readonly id: string }>()
    .startsByCall(({ id }: { id: string }) => ({ id }))
    .step('print', (s) => s.calls(() => undefined).compensates(() => undefined));
}

@Saga('pay')
class Pay {
  constructor(private readonly ledger: Ledger) {}

  readonly definition = saga<Payment>()
    .startsByCall((payment: Payment) => payment, { id: ({ id }) => id })
    .lock('account', ({ account }) => `account/${account}`, { within: '1h' })
    .child('receipt', Receipt, ({ id }) => ({ id }))
    .step('book', (s) => s.calls((payment) => this.ledger.book(payment)).within('1m'));
}

describe('sagas on a Redis Cluster', () => {
  const clock = new SkippingClock();
  let cluster: PrivateCluster;
  let app: INestApplication;
  beforeAll(async () => {
    cluster = await PrivateCluster.start();
  }, 30_000);
  afterAll(() => cluster.stop());

  /** Partitions of the context, and so the keys of locks and instances, are in different slots. */
  async function start(): Promise<Sagas> {
    @Module({ providers: [Ledger], exports: [Ledger] })
    class LedgerModule {}
    const broker = {
      context: 'bank',
      namespace: freshNamespace(),
      redis: { cluster: cluster.addresses },
      partitions: { bank: 6 },
      blockMs: 200,
      clock,
    };
    const retention = { completed: '1d', compensated: '1d' } as const;
    const sagas = SagaModule.forFeature([Receipt, Pay], { imports: [LedgerModule], retention });
    const module = Test.createTestingModule({ imports: [BrokerModule.forRoot(broker), LedgerModule, sagas] });
    app = (await module.compile()).createNestApplication({ logger: false });
    const opened = app;
    onTestFinished(() => opened.close());
    await app.init();
    return app.get(Sagas);
  }
  const ends = (sagas: Sagas, id: string) =>
    eventually(async () => expect(await sagas.find(Pay, id)).toMatchObject({ status: 'completed' }), 20_000);

  it('lock keys in order, whatever the slots of the sagas and of the key', async () => {
    const sagas = await start();
    const ledger = app.get(Ledger);
    const ids = Array.from({ length: 8 }, (_, n) => `p${n}`);
    ledger.held.add('p0');
    await sagas.start(Pay, { id: 'p0', account: 'a1' });
    await eventually(async () => expect((await sagas.lockOf('account/a1'))?.holder).toBe('pay/p0'));
    await Promise.all(ids.slice(1).map((id) => sagas.start(Pay, { id, account: 'a1' })));
    const { waiting } = (await eventually(async () => {
      const lock = await sagas.lockOf('account/a1');
      expect(lock?.waiting).toHaveLength(7);
      return lock;
    }))!;
    ledger.held.clear();
    for (const id of ids) await ends(sagas, id);

    expect(ledger.booked).toEqual(['p0', ...waiting.map(({ holder }) => holder.slice('pay/'.length))]);
    await eventually(async () => expect(await sagas.lockOf('account/a1')).toBeUndefined());
  }, 60_000);

  it('give a key back when they turn round', async () => {
    const sagas = await start();
    const ledger = app.get(Ledger);
    ledger.held.add('p0');
    await sagas.start(Pay, { id: 'p0', account: 'a1' });
    await sagas.start(Pay, { id: 'p1', account: 'a1' });
    await eventually(async () => expect((await sagas.lockOf('account/a1'))?.waiting).toHaveLength(1));
    const decision = { by: 'ann', reason: 'a mistake' };
    await sagas.cancel(Pay, 'p1', decision);
    await eventually(async () => expect(await sagas.find(Pay, 'p1')).toMatchObject({ status: 'compensated' }));

    expect(await sagas.lockOf('account/a1')).toEqual({ holder: 'pay/p0', waiting: [] });
    ledger.held.clear();
    await ends(sagas, 'p0');
    expect(ledger.booked).toEqual(['p0']);
  }, 60_000);

  it('are removed after their time in every partition, and their children with them', async () => {
    const sagas = await start();
    const ids = Array.from({ length: 12 }, (_, n) => `p${n}`);
    await Promise.all(ids.map((id) => sagas.start(Pay, { id, account: id })));
    for (const id of ids) await ends(sagas, id);
    app.get(Ledger).held.add('late');
    await sagas.start(Pay, { id: 'late', account: 'a1' });
    await eventually(async () => expect(await sagas.list({ saga: Pay, step: 'book' })).toMatchObject({ sagas: [{}] }));
    expect(await sagas.removeEnded()).toBe(0);
    clock.skip(2 * 86_400_000);

    expect(await sagas.removeEnded()).toBe(24);
    expect(await sagas.count(Pay)).toMatchObject({ running: 1, completed: 0 });
    // That of the payment which is under way is kept.
    expect(await sagas.count(Receipt)).toMatchObject({ completed: 1 });
    expect((await sagas.list({ saga: Pay })).sagas.map(({ id }) => id)).toEqual(['late']);
    app.get(Ledger).held.clear();
  }, 60_000);
});
