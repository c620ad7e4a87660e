/**
 * Other versions of packages than this repository has: those of the `node_modules` that MILLRACE_INSTEAD names. The whole
 * Nest is exchanged, with the rxjs that it shares with applications.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const EXCHANGEABLE = ['ioredis', 'rxjs', '@nestjs'];

/** @returns the folder, and what begins the name of a module that is taken from it; undefined without another version */
export function instead(folder = process.env.MILLRACE_INSTEAD) {
  if (!folder) return undefined;
  const packages = EXCHANGEABLE.filter((name) => existsSync(join(folder, name)));
  return { folder, pattern: `^((?:${packages.join('|')})(?:/.*)?)$` };
}
