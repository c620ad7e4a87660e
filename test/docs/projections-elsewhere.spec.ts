import { Broker, InMemoryPartitionStore, PARTITION_STORE, Publisher } from '@millrace/broker';
import { Projections } from '@millrace/event-store';
import { Test } from '@nestjs/testing';
import { Pool } from 'pg';
import { describeWithPostgres, freshDatabase, ownPostgres, poolOf } from '../support/postgres.js';
import { onTestFinished } from '../support/redis.js';
import { Arrived, Depot, DepotModule, Left, runStock, Stock } from './projections-elsewhere.js';

describeWithPostgres('the code of the guide to projections elsewhere', () => {
  const server = ownPostgres();

  it('projects into tables of PostgreSQL, and reads them', async () => {
    process.env['DATABASE_URL'] = await freshDatabase(server());
    const app = await Test.createTestingModule({ imports: [DepotModule] })
      .overrideProvider(PARTITION_STORE)
      .useValue(new InMemoryPartitionStore())
      .compile();
    app.useLogger(false);
    await app.init();
    const depot = app.get(Depot);
    for (const [sku, pieces] of [['bolt', 3], ['nut', 70], ['nail', 8]] as const) await depot.arrive(sku, pieces); // prettier-ignore
    await depot.arrive('nail', 8);
    expect(await depot.scarce(16)).toEqual(['bolt']);
    expect(await depot.scarce(17)).toEqual(['bolt', 'nail']);

    const projections = app.get(Projections);
    await projections.of(Stock).rebuild();
    for await (const { build } of projections.of(Stock).progress()) expect(build).toBe('stock.v1.r2');
    expect(await depot.scarce(17)).toEqual(['bolt', 'nail']);
    expect(await projections.of(Stock).removeOld()).toEqual(['stock.v1']);
    const { rows } = await app
      .get(Pool)
      .query("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'depot.%' OR nspname = 'millrace' ORDER BY 1");
    expect(rows).toEqual([{ nspname: 'depot.stock.v1.r2' }, { nspname: 'millrace' }]);
    await app.close();
    expect(app.get(Pool).ended).toBe(true);
  }, 60_000);

  it('runs without Nest', async () => {
    const broker = new Broker(new InMemoryPartitionStore(), { context: 'depot', partitions: 2 });
    await broker.declare();
    const { runner, view, control } = runStock(broker, poolOf(await freshDatabase(server())));
    onTestFinished(() => runner.stop());
    const publisher = new Publisher(broker);
    await publisher.publish(new Arrived({ sku: 'bolt', pieces: 5 }));
    await publisher.publish(new Left({ sku: 'bolt', pieces: 2 }));
    await control.waitFor(undefined, { timeoutMs: 15_000 });
    expect(await view.read(async (db) => (await db.query('SELECT * FROM stock')).rows)).toEqual([
      { sku: 'bolt', pieces: 3 },
    ]);
    expect(await control.parked()).toEqual([]);
  }, 60_000);
});
