import { UnknownOutcomeError } from '@millrace/broker';
import { BrokenTransactionError } from '../core/errors.js';
import type { PostgresClient, PostgresPool } from './postgres-client.js';
import { isDefinite, isPassing, unavailable, wordsOf } from './postgres-errors.js';

/** What work answers that wants nothing of it to stay. */
export const NOTHING = Symbol('nothing');

/**
 * Does work in a transaction on a connection of the pool, and commits it.
 *
 * @param begin the statement that begins it
 * @throws StoreUnavailableError when there is no connection, when it was lost, or for an error that will pass
 * @throws UnknownOutcomeError when the answer to the COMMIT was lost
 * @throws what `work` throws, and what PostgreSQL says against the COMMIT
 */
export async function inTransaction<Client extends PostgresClient, T>(
  pool: PostgresPool<Client>,
  begin: string,
  work: (client: Client) => Promise<T | typeof NOTHING>,
): Promise<T | undefined> {
  const client = await pool.connect().catch((error: unknown) => {
    throw unavailable(error);
  });
  // A connection that is lost between two statements says so here; nobody listening would end the process.
  const lost = (): void => undefined;
  client.on('error', lost);
  let usable = false;
  try {
    await client.query(begin).catch((error: unknown) => {
      throw unavailable(error);
    });
    const answer = await work(client).catch(async (error: unknown) => {
      usable = await rollBack(client);
      throw !usable || isPassing(error) ? unavailable(error) : error;
    });
    if (answer === NOTHING) {
      usable = await rollBack(client);
      return undefined;
    }
    const command = await commit(client);
    usable = true;
    if (command === 'COMMIT') return answer;
    throw new BrokenTransactionError('a statement in it has failed, and its work has gone on');
  } finally {
    client.off('error', lost);
    client.release(!usable);
  }
}

async function rollBack(client: PostgresClient): Promise<boolean> {
  return client.query('ROLLBACK').then(
    () => true,
    () => false,
  );
}

async function commit(client: PostgresClient): Promise<string> {
  try {
    return (await client.query('COMMIT')).command;
  } catch (error) {
    if (isDefinite(error)) throw isPassing(error) ? unavailable(error) : error;
    throw new UnknownOutcomeError(`PostgreSQL: no answer to COMMIT: ${wordsOf(error)}`, { cause: error });
  }
}
