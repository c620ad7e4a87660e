import { ExternalProjection } from '../core/external-projection.js';
import type { PostgresClient, PostgresPool } from './postgres-client.js';
import { PostgresViews } from './postgres-views.js';
import type { PostgresOptions } from './postgres-views.js';

/**
 * A projection into tables of PostgreSQL. Its methods write with a client of `pg` that is in the transaction which also
 * moves the checkpoint: they neither end it nor keep the client. An error of a statement is left to fly.
 *
 * Each build has a schema of its own, so tables are named without one, and a new version is built beside the old.
 *
 * @typeParam Client what the pool gives: `PoolClient` of `pg`
 *
 * @example
 * \@Projection('stock')
 * class Stock extends PostgresProjection<PoolClient> {
 *   constructor(pool: Pool) {
 *     super(pool);
 *   }
 *   async create(db: PoolClient) {
 *     await db.query('CREATE TABLE stock (sku text PRIMARY KEY, pieces integer NOT NULL)');
 *   }
 *   \@Projects(Counted) async counted({ sku, pieces }: Counted, db: PoolClient) {
 *     await db.query('INSERT INTO stock VALUES ($1, $2)', [sku, pieces]);
 *   }
 * }
 */
export abstract class PostgresProjection<
  Client extends PostgresClient = PostgresClient,
> extends ExternalProjection<Client> {
  /** @throws ConfigurationError for a pool or options that cannot work */
  constructor(pool: PostgresPool<Client>, options: PostgresOptions = {}) {
    super(new PostgresViews(pool, options));
  }
}
