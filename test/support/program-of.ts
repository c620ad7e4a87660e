import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Where a program of this folder is started from, by its name without `.mjs`: bundled, where the setup of the tests has
 * bundled it. As it stands with the packages of another version, which would not be in the bundle.
 */
export function programOf(name: string): string {
  const bundled = join(process.env.TEST_PROGRAMS ?? '', `${name}.mjs`);
  if (process.env.TEST_PROGRAMS && existsSync(bundled)) return bundled;
  return fileURLToPath(new URL(`./${name}.mjs`, import.meta.url));
}
