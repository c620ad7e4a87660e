import { randomBytes } from 'node:crypto';
import { findPostgres } from '@millrace/testing';
import type { FoundPostgres } from '@millrace/testing';
import { Pool } from 'pg';
import type { PoolConfig } from 'pg';
import { onTestFinished } from './redis.js';

/** `describe`; skipped on a machine without PostgreSQL, which the setup of the tests has said then. */
export const describeWithPostgres = process.env['TEST_POSTGRES'] === 'none' ? describe.skip : describe;

/** A server of the spec file's own, which may be killed. */
export function ownPostgres(): () => FoundPostgres {
  let server: FoundPostgres | undefined;
  beforeAll(async () => void (server = await findPostgres()), 120_000);
  afterAll(() => server?.stop(), 60_000);
  return () => server!;
}

/** An empty database in a server. */
export async function freshDatabase({ url }: FoundPostgres): Promise<string> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const admin = new Pool({ connectionString: url, max: 1 });
  try {
    await admin.query(`CREATE DATABASE ${name}`);
  } finally {
    await admin.end();
  }
  return url.replace(/\/postgres$/, `/${name}`);
}

/** Connections to a database; closed when the test has finished. */
export function poolOf(connectionString: string, config: PoolConfig = {}): Pool {
  const pool = new Pool({ connectionString, ...config });
  pool.on('error', () => undefined);
  onTestFinished(() => pool.end());
  return pool;
}
