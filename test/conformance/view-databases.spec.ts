import { InMemoryViewDatabase, PostgresViews } from '@millrace/event-store';
import type { InMemoryRows } from '@millrace/event-store';
import { describeViewDatabase } from '@millrace/testing';
import { Pool } from 'pg';
import type { PoolClient } from 'pg';
import { describeWithPostgres, freshDatabase, ownPostgres } from '../support/postgres.js';

describeViewDatabase<InMemoryRows>('memory', async () => ({
  database: new InMemoryViewDatabase(),
  create: async () => undefined,
  put: async (rows, name, value) => void rows.set(name, value),
  rows: async (rows) => Object.fromEntries(rows) as Record<string, number>,
  close: async () => undefined,
}));

describeWithPostgres('a server', () => {
  const server = ownPostgres();

  describeViewDatabase<PoolClient>('PostgreSQL', async () => {
    const connectionString = await freshDatabase(server());
    const pools = [new Pool({ connectionString }), new Pool({ connectionString })] as const;
    return {
      database: new PostgresViews(pools[0]),
      other: new PostgresViews(pools[1]),
      create: async (db) =>
        void (await db.query('CREATE TABLE numbers (name text PRIMARY KEY, value bigint NOT NULL)')),
      put: async (db, name, value) =>
        void (await db.query(
          'INSERT INTO numbers VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
          [name, value],
        )),
      rows: async (db) => {
        const { rows } = await db.query<{ name: string; value: string }>('SELECT name, value FROM numbers');
        return Object.fromEntries(rows.map(({ name, value }) => [name, Number(value)]));
      },
      close: async () => void (await Promise.all(pools.map((pool) => pool.end()))),
    };
  });
});
