import { accessSync, constants, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where Debian's packages put them, by version; not on the PATH. */
const DEBIAN = '/usr/lib/postgresql';

/** The folder with `postgres`, `initdb` and `pg_isready`: of the PATH, or the newest of Debian's; undefined without one. */
export function findPostgresBinaries(path = process.env.PATH ?? ''): string | undefined {
  const debian = versions()
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(DEBIAN, version, 'bin'));
  return [...path.split(delimiter).filter(Boolean), ...debian].find(hasServer);
}

function hasServer(folder: string): boolean {
  try {
    for (const name of ['initdb', 'postgres', 'pg_isready']) accessSync(join(folder, name), constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function versions(): string[] {
  try {
    return readdirSync(DEBIAN);
  } catch {
    return [];
  }
}
