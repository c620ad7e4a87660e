import { execFileSync } from 'node:child_process';
import { accessSync, constants, mkdirSync, readdirSync, realpathSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What Millrace promises to work on; a machine has some of them. */
export const WANTED = ['Redis 7', 'Redis 8', 'Valkey 8', 'Valkey 9'];

/** `redis-server`, `valkey-server`, and those with a version: `redis-server-8.0`. */
const NAME = /^(redis|valkey)-server(-[\d.]+)?$/;

/**
 * The servers on this machine: files named by MILLRACE_SERVERS (separated as in PATH), and those on the PATH, one of each
 * version.
 */
export function findServers({ MILLRACE_SERVERS = '', PATH = '' } = process.env) {
  const named = MILLRACE_SERVERS.split(delimiter).filter(Boolean);
  const onPath = PATH.split(delimiter).flatMap((folder) => serversIn(folder));
  const found = new Map();
  for (const file of [...named, ...onPath]) {
    const name = nameOf(file);
    if (name && !found.has(name)) found.set(name, { name, file, isPlain: file === onPath[0] });
    if (!name && named.includes(file)) throw new Error(`MILLRACE_SERVERS names ${file}, which is no Redis or Valkey`);
  }
  return [...found.values()].sort((a, b) => a.name.localeCompare(b.name));
}

/** A folder in which a server is called `redis-server`: first on the PATH, it is the one that tests start. */
export function folderOf({ file, name }, parent) {
  const folder = join(parent, name.replace(' ', '-'));
  mkdirSync(folder);
  symlinkSync(realpathSync(file), join(folder, 'redis-server'));
  return folder;
}

function serversIn(folder) {
  try {
    return readdirSync(folder)
      .filter((name) => NAME.test(name))
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** `Redis 7.0.15`; undefined when it is something else. */
function nameOf(file) {
  try {
    accessSync(file, constants.X_OK);
    const [, product, version] = /^(Redis|Valkey) server v=([\d.]+)/.exec(
      execFileSync(file, ['--version'], { encoding: 'utf8' }),
    );
    return `${product} ${version}`;
  } catch {
    return undefined;
  }
}
