import { installDebianPackage, mayInstall } from '../process/debian-package.js';
import { findPostgresBinaries } from './postgres-binaries.js';
import { PrivatePostgres } from './private-postgres.js';

export interface FindPostgresOptions {
  /** Told, in a sentence, before something slow or lasting is done. Default: nobody. */
  readonly say?: (sentence: string) => void;
}

/** A PostgreSQL of one's own: one may kill it, and read and write what one likes. */
export interface FoundPostgres {
  /** `postgresql://...`, of a superuser without a password. */
  readonly url: string;
  readonly version: string;
  /** Stops it and removes its data. */
  stop(): Promise<void>;
  /** SIGKILLs it. */
  kill(): Promise<void>;
  /** Starts it again, with the same port and data. */
  start(): Promise<void>;
}

/** No PostgreSQL could be found or started. The message says what to do. */
export class NoPostgresError extends Error {
  override readonly name = 'NoPostgresError';
  readonly code = 'no-postgres';
}

/**
 * Starts a private PostgreSQL from the PATH or Debian's package, with the settings of initdb: every commit waits for the disk.
 * As root on Debian it is installed first, where there is none. It ends with `stop()`, and with this process.
 *
 * @throws NoPostgresError when there is none here and none can be installed
 */
export async function findPostgres(options: FindPostgresOptions = {}): Promise<FoundPostgres> {
  const server = await PrivatePostgres.create(await installPostgres(options));
  await server.start();
  return {
    url: server.url,
    version: await server.version(),
    stop: () => server.stop(),
    kill: () => server.kill(),
    start: () => server.start(),
  };
}

/**
 * Sees to it that a PostgreSQL can be started here.
 *
 * @returns the folder with its programs
 * @throws NoPostgresError when there is none and none can be installed
 */
export async function installPostgres({ say = () => undefined }: FindPostgresOptions = {}): Promise<string> {
  const found = findPostgresBinaries();
  if (found) return found;
  if (!mayInstall()) throw new NoPostgresError(`No PostgreSQL was found. ${WAY_OUT}`);
  say("No PostgreSQL here yet; installing Debian's postgresql with apt-get (not as a service).");
  await installDebianPackage('postgresql').catch((error: unknown) => {
    throw new NoPostgresError(`${(error as Error).message}. ${WAY_OUT}`, { cause: error });
  });
  const installed = findPostgresBinaries();
  if (installed) return installed;
  throw new NoPostgresError(`Debian's postgresql brought no server. ${WAY_OUT}`);
}

const WAY_OUT = 'Install a server: apt-get install postgresql (or brew install postgresql).';
