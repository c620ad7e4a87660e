/** What a statement has come to, as `pg` says it. */
export interface PostgresResult {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- rows of whatever was asked for
  readonly rows: any[];
  readonly rowCount: number | null;
  /** `COMMIT`; `ROLLBACK` is what a transaction answers to COMMIT in which a statement has failed. */
  readonly command: string;
}

/** A connection out of a pool: the shape of `PoolClient` of `pg`. */
export interface PostgresClient {
  query(text: string, values?: unknown[]): Promise<PostgresResult>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  off(event: 'error', listener: (error: Error) => void): unknown;
  /** @param destroy whether the connection is of no use any more */
  release(destroy?: boolean): void;
}

/** The shape of `Pool` of `pg`. */
export interface PostgresPool<Client extends PostgresClient = PostgresClient> {
  connect(): Promise<Client>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'connect', listener: (client: Pick<PostgresClient, 'on'>) => void): unknown;
  listenerCount(event: 'error'): number;
}
