import { StoreUnavailableError } from '@millrace/broker';

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const PASSING = [
  '08', // connection exception
  '25006', // read-only: a standby, in the middle of a failover
  '25P03', // idle in transaction for too long
  '40001', // serialization failure
  '40P01', // deadlock
  '53', // insufficient resources: disk, memory, connections
  '55P03', // lock not available
  '57', // operator intervention: shutdown, cancelled and timed out statements
  '58', // system error
  'XX', // internal error
];

export const IN_FAILED_TRANSACTION = '25P02';

/** What the server called it; undefined when it is not the server who says it. */
export function sqlStateOf(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as { code?: unknown };
    if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && 'severity' in cause) return code;
  }
  return undefined;
}

/** Whether an error is of the server's condition, whatever the statement. */
export function isPassing(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state !== undefined && PASSING.some((passing) => state.startsWith(passing));
}

/** Whether the server has given the transaction up and has told so. */
export function isDefinite(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state !== undefined && (!isPassing(error) || state.startsWith('40'));
}

export function unavailable(error: unknown): StoreUnavailableError {
  return error instanceof StoreUnavailableError
    ? error
    : new StoreUnavailableError(`PostgreSQL: ${wordsOf(error)}`, { cause: error });
}

export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Of several addresses that were tried, each has its own words.
  const reason = error instanceof AggregateError ? (error.errors as unknown[]).at(-1) : undefined;
  return error.message || (reason ? wordsOf(reason) : error.name);
}
