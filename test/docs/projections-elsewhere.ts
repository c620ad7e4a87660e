/** The code of docs/guides/projections-elsewhere.md, region by region. */

// #region The events and their table
import { BrokerModule } from '@millrace/broker';
import { EventStoreModule, PostgresProjection, Projection, Projects } from '@millrace/event-store';
import { Event, Schema } from '@millrace/messages';
import { Global, Inject, Module } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { Pool } from 'pg';
import type { PoolClient } from 'pg';
import { z } from 'zod';

@Event('depot.arrived', { key: 'sku' })
export class Arrived extends Schema(z.object({ sku: z.string(), pieces: z.number().int() })) {}

@Event('depot.left', { key: 'sku' })
export class Left extends Schema(z.object({ sku: z.string(), pieces: z.number().int() })) {}

@Projection('stock')
export class Stock extends PostgresProjection<PoolClient> {
  constructor(@Inject(Pool) pool: Pool) {
    super(pool);
  }

  async create(db: PoolClient): Promise<void> {
    await db.query('CREATE TABLE stock (sku text PRIMARY KEY, pieces integer NOT NULL)');
  }

  @Projects(Arrived) async arrived({ sku, pieces }: Arrived, db: PoolClient): Promise<void> {
    await db.query(
      `INSERT INTO stock VALUES ($1, $2)
       ON CONFLICT (sku) DO UPDATE SET pieces = stock.pieces + excluded.pieces`,
      [sku, pieces],
    );
  }

  @Projects(Left) async left({ sku, pieces }: Left, db: PoolClient): Promise<void> {
    await db.query('UPDATE stock SET pieces = pieces - $2 WHERE sku = $1', [sku, pieces]);
  }
}

@Global()
@Module({
  providers: [{ provide: Pool, useFactory: () => new Pool({ connectionString: process.env['DATABASE_URL'] }) }],
  exports: [Pool],
})
export class DatabaseModule implements OnApplicationShutdown {
  constructor(private readonly pool: Pool) {}

  onApplicationShutdown(): Promise<void> {
    return this.pool.end();
  }
}
// #endregion

// #region Its rows
import { EventStore, ExternalView, InjectView, Projections } from '@millrace/event-store';
import { Injectable } from '@nestjs/common';

@Injectable()
export class Depot {
  constructor(
    private readonly events: EventStore,
    private readonly projections: Projections,
    @InjectView(Stock) private readonly stock: ExternalView<PoolClient>,
  ) {}

  async arrive(sku: string, pieces: number): Promise<void> {
    await this.events.append(`stock-${sku}`, [new Arrived({ sku, pieces })]);
    await this.projections.waitFor(Stock); // as for every other projection
  }

  scarce(below: number): Promise<string[]> {
    return this.stock.read(async (db) => {
      const { rows } = await db.query<{ sku: string }>('SELECT sku FROM stock WHERE pieces < $1 ORDER BY sku', [below]);
      return rows.map(({ sku }) => sku);
    });
  }
}

@Module({
  imports: [
    DatabaseModule,
    BrokerModule.forRoot({ context: 'depot' }),
    EventStoreModule.forFeature({ projections: [Stock] }),
  ],
  providers: [Depot],
})
export class DepotModule {}
// #endregion

// #region Without Nest
import type { Broker } from '@millrace/broker';
import { ProjectionControl, ProjectionRunner } from '@millrace/event-store';

export function runStock(broker: Broker, pool: Pool) {
  const stock = new Stock(pool);
  const runner = new ProjectionRunner(broker, Stock, stock);
  runner.start();
  return {
    runner,
    view: new ExternalView(broker, stock),
    control: new ProjectionControl(broker, { projection: 'stock', version: 1 }, stock.database),
  };
}
// #endregion
