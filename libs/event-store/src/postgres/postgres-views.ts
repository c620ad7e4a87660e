import { checkOptions, ConfigurationError, rules } from '@millrace/broker';
import type { Rules } from '@millrace/broker';
import type { Checkpoint } from '../core/checkpoint.js';
import { BrokenTransactionError } from '../core/errors.js';
import type { ParkedEvent } from '../core/parked-event.js';
import type { ViewBuild, ViewChange, ViewDatabase, ViewPlace, ViewTransaction } from '../core/view-database.js';
import { listenToErrors } from './listen-to-errors.js';
import type { PostgresClient, PostgresPool } from './postgres-client.js';
import { IN_FAILED_TRANSACTION, sqlStateOf, unavailable } from './postgres-errors.js';
import { identifier, literal, postgresTables } from './postgres-tables.js';
import { inTransaction, NOTHING } from './postgres-transaction.js';

export interface PostgresOptions {
  /** Schema of the tables of checkpoints. Default `millrace`. */
  readonly schema?: string;
  /**
   * How long a transaction may do nothing before the server ends it, ms: so soon other replicas go on when one has been
   * frozen. A method that waits for something else than the database must be faster. Default 30,000.
   */
  readonly idleMs?: number;
}

const RULES: Rules<PostgresOptions> = { schema: rules.text, idleMs: rules.count };

/** PostgreSQL cuts longer names off, without a word. */
const LONGEST_NAME = 63;

interface CheckpointRow {
  readonly position: string | null;
  readonly last: string | null;
  readonly replay_to: string;
  readonly parked: number;
  readonly removed: boolean;
}

/**
 * Views in PostgreSQL 13 or newer. Each build has a schema of its own, `<context>.<build>`, which stands first in the
 * `search_path` of its transactions: the methods of a projection name their tables without it.
 *
 * A transaction locks its row of checkpoints first, so that those of two replicas run one after the other.
 *
 * @typeParam Client what the pool gives: `PoolClient` of `pg`
 */
export class PostgresViews<Client extends PostgresClient> implements ViewDatabase<Client> {
  readonly name = 'PostgreSQL';
  private readonly schema: string;
  private readonly idleMs: number;
  private prepared: Promise<unknown> | undefined;

  /** @throws ConfigurationError for a pool or options that cannot work */
  constructor(
    private readonly pool: PostgresPool<Client>,
    options: PostgresOptions = {},
  ) {
    if (typeof (pool as Partial<typeof pool> | undefined)?.connect !== 'function') {
      throw new ConfigurationError('views in PostgreSQL need a pool: new Pool({ connectionString }) of pg');
    }
    checkOptions('views in PostgreSQL', options, RULES);
    ({ schema: this.schema = 'millrace', idleMs: this.idleMs = 30_000 } = options);
    listenToErrors(pool);
  }

  async checkpoint(place: ViewPlace): Promise<Checkpoint | undefined> {
    await this.prepare();
    return this.ask(async (client) => checkpointOf(await this.row(client, place)));
  }

  async transact(
    place: ViewPlace,
    work: (transaction: ViewTransaction<Client>) => Promise<ViewChange | undefined>,
  ): Promise<void> {
    await this.prepare();
    await inTransaction(this.pool, this.beginning(place), async (client) => {
      const { row, id } = await this.lock(client, place).catch((error: unknown) => {
        throw unavailable(error);
      });
      const parked = (position: number) => this.note(client, place, position);
      const change = await work({ handle: client, checkpoint: checkpointOf(row), parked });
      if (!change) return NOTHING;
      await this.save(client, place, change, id).catch((error: unknown) => {
        if (error instanceof BrokenTransactionError) throw error;
        if (sqlStateOf(error) !== IN_FAILED_TRANSACTION) throw unavailable(error);
        throw new BrokenTransactionError('a statement in it has failed, and its work has gone on', { cause: error });
      });
      return undefined;
    });
  }

  async begin(build: ViewBuild, create: (handle: Client) => Promise<void>): Promise<void> {
    await this.prepare();
    const schema = schemaOf(build);
    await inTransaction(this.pool, this.beginning(build), async (client) => {
      const { rowCount } = await client.query(
        `INSERT INTO ${this.table('checkpoints')} (context, build, partition, position) VALUES ($1, $2, -1, 0)
         ON CONFLICT DO NOTHING`,
        [build.context, build.build],
      );
      if (rowCount === 0) return NOTHING;
      // CREATE SCHEMA IF NOT EXISTS wants the right to even when there is one.
      const { rows } = await client.query('SELECT to_regnamespace($1) AS found', [identifier(schema)]);
      if ((rows as { found: string | null }[])[0]?.found === null) {
        await client.query(`CREATE SCHEMA ${identifier(schema)}`);
      }
      await create(client);
      return undefined;
    });
  }

  async drop(build: ViewBuild, partitions: number): Promise<void> {
    await this.prepare();
    const of = [build.context, build.build];
    await inTransaction(this.pool, this.beginning(build), async (client) => {
      await client.query(
        `INSERT INTO ${this.table('checkpoints')} (context, build, partition, position, removed)
         SELECT $1, $2, partition, 0, true FROM generate_series(-1, $3::integer - 1) AS partition
         ON CONFLICT (context, build, partition)
         DO UPDATE SET position = 0, last = NULL, parked = 0, removed = true, changed_at = now()`,
        [...of, partitions],
      );
      await client.query(`DELETE FROM ${this.table('parked')} WHERE context = $1 AND build = $2`, of);
      await client.query(`DROP SCHEMA IF EXISTS ${identifier(schemaOf(build))} CASCADE`);
      return undefined;
    });
  }

  async read<T>(build: ViewBuild, work: (handle: Client) => Promise<T>): Promise<T> {
    const begin = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${searchPath(build)}`;
    return (await inTransaction(this.pool, begin, work)) as T;
  }

  async parked({ context, build }: ViewBuild): Promise<readonly ParkedEvent[]> {
    await this.prepare();
    const { rows } = await this.ask((client) =>
      client.query(
        `SELECT event FROM ${this.table('parked')} WHERE context = $1 AND build = $2 ORDER BY partition, position`,
        [context, build],
      ),
    );
    return (rows as { event: ParkedEvent }[]).map(({ event }) => event);
  }

  /** Once; again after it has failed. */
  private prepare(): Promise<unknown> {
    return (this.prepared ??= this.makeTables().catch((error: unknown) => {
      this.prepared = undefined;
      throw unavailable(error);
    }));
  }

  private async makeTables(): Promise<void> {
    const found = `SELECT to_regclass(${literal(this.table('parked'))}) IS NOT NULL AS found`;
    const isThere = async (client: Client) => ((await client.query(found)).rows as { found: boolean }[])[0]!.found;
    if (await this.ask(isThere)) return;
    await inTransaction(this.pool, 'BEGIN', async (client) => {
      // Two that create the same table at once fail, whatever IF NOT EXISTS promises.
      await client.query('SELECT pg_advisory_xact_lock(hashtext($1))', [`millrace.${this.schema}`]);
      if (!(await isThere(client))) await client.query(postgresTables(this.schema));
      return undefined;
    });
  }

  private async ask<T>(question: (client: Client) => Promise<T>): Promise<T> {
    try {
      return (await inTransaction(this.pool, 'BEGIN READ ONLY', question)) as T;
    } catch (error) {
      throw unavailable(error);
    }
  }

  private beginning(build: ViewBuild): string {
    return `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
      SET LOCAL idle_in_transaction_session_timeout = ${this.idleMs}; ${searchPath(build)}`;
  }

  private table(name: 'checkpoints' | 'parked'): string {
    return `${identifier(this.schema)}.${name}`;
  }

  private async row(client: Client, place: ViewPlace, more = ''): Promise<CheckpointRow | undefined> {
    const { rows } = await client.query(
      `SELECT position, last, replay_to, parked, removed FROM ${this.table('checkpoints')}
       WHERE context = $1 AND build = $2 AND partition = $3 ${more}`,
      keyOf(place),
    );
    return (rows as CheckpointRow[])[0];
  }

  /** @returns the row as it stands until this transaction ends, and the transaction's id */
  private async lock(client: Client, place: ViewPlace): Promise<{ row: CheckpointRow | undefined; id: string }> {
    let row = await this.row(client, place, 'FOR UPDATE');
    if (!row) {
      const table = this.table('checkpoints');
      await client.query(
        `INSERT INTO ${table} (context, build, partition) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
        keyOf(place),
      );
      row = await this.row(client, place, 'FOR UPDATE');
    }
    const { rows } = await client.query('SELECT pg_current_xact_id()::text AS id');
    return { row, id: (rows as { id: string }[])[0]!.id };
  }

  private async save(client: Client, place: ViewPlace, change: ViewChange, id: string): Promise<void> {
    const { checkpoint, park, unpark } = change;
    const key = keyOf(place);
    if (park) {
      await client.query(
        `INSERT INTO ${this.table('parked')} (context, build, partition, position, event) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (context, build, partition, position) DO UPDATE SET event = excluded.event`,
        [...key, park.position, JSON.stringify(park)],
      );
    }
    if (unpark !== undefined) {
      const where = 'context = $1 AND build = $2 AND partition = $3 AND position = $4';
      await client.query(`DELETE FROM ${this.table('parked')} WHERE ${where}`, [...key, unpark]);
    }
    const { position, last = null, replayTo, parked } = checkpoint;
    const { rowCount } = await client.query(
      `UPDATE ${this.table('checkpoints')}
       SET position = $4, last = $5, replay_to = $6, parked = $7, changed_at = clock_timestamp()
       WHERE context = $1 AND build = $2 AND partition = $3 AND pg_current_xact_id_if_assigned()::text = $8`,
      [...key, position, last, replayTo, parked, id],
    );
    if (rowCount !== 1) throw new BrokenTransactionError('its work has ended it, by COMMIT or ROLLBACK');
  }

  private async note(client: Client, place: ViewPlace, position: number): Promise<ParkedEvent | undefined> {
    const { rows } = await client.query(
      `SELECT event FROM ${this.table('parked')}
       WHERE context = $1 AND build = $2 AND partition = $3 AND position = $4`,
      [...keyOf(place), position],
    );
    return (rows as { event: ParkedEvent }[])[0]?.event;
  }
}

/** @throws ConfigurationError for a name that is too long for PostgreSQL */
function schemaOf({ context, build }: ViewBuild): string {
  const name = `${context}.${build}`;
  if (Buffer.byteLength(name) <= LONGEST_NAME) return name;
  throw new ConfigurationError(
    `the schema of ${build} would be named "${name}", longer than the ${LONGEST_NAME} bytes of a name in PostgreSQL: ` +
      `give the projection a shorter name`,
  );
}

function searchPath(build: ViewBuild): string {
  const first = literal(`${identifier(schemaOf(build))}, `);
  return `SELECT set_config('search_path', ${first} || current_setting('search_path'), true)`;
}

function keyOf({ context, build, partition }: ViewPlace): unknown[] {
  return [context, build, partition];
}

function checkpointOf(row: CheckpointRow | undefined): Checkpoint | undefined {
  if (!row || row.position === null) return undefined;
  return {
    position: Number(row.position),
    replayTo: Number(row.replay_to),
    parked: row.parked,
    ...(row.last === null ? {} : { last: row.last }),
    ...(row.removed ? { removed: true as const } : {}),
  };
}
