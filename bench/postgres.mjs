import { execFile } from 'node:child_process';
import { accessSync, constants, readdirSync } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import getPort from 'get-port';
import { ended, spawnBound } from '@millrace/testing';

const run = promisify(execFile);
const START_MS = 20_000;
const DEBIAN = '/usr/lib/postgresql';

/** A private PostgreSQL with the settings of initdb: every commit waits for the disk. In a temporary folder. */
export async function privatePostgres() {
  const bin = binaries();
  const who = await unprivileged();
  const folder = await mkdtemp(join(tmpdir(), 'millrace-postgres-'));
  if (who.uid !== undefined) await chown(folder, who.uid, who.gid);
  const discard = () => rm(folder, { recursive: true, force: true });
  const options = { ...who, cwd: folder, env: { PATH: process.env.PATH, LC_ALL: 'C' } };
  try {
    await run(`${bin}/initdb`, ['-D', `${folder}/data`, '-U', 'bench', '--auth=trust', '-E', 'UTF8'], options);
    const { stdout } = await run(`${bin}/postgres`, ['--version'], options);
    const port = await getPort({ host: '127.0.0.1' });
    const settings = ['-D', `${folder}/data`, '-p', String(port), '-h', '127.0.0.1', '-k', folder];
    const server = spawnBound(`${bin}/postgres`, settings, { ...options, stdio: 'ignore' }, folder);
    await answers(bin, port, server);
    return {
      url: `postgresql://bench@127.0.0.1:${port}/postgres`,
      description: `${/PostgreSQL\) (\S+)/.exec(stdout)?.[0].replace(')', '') ?? stdout.trim()}, default durability`,
      // Its work is that of many processes.
      cpuSeconds: async () => NaN,
      stop: async () => {
        server.kill('SIGINT');
        await ended(server);
        await discard();
      },
    };
  } catch (error) {
    await discard();
    throw error;
  }
}

async function answers(bin, port, server) {
  const deadline = Date.now() + START_MS;
  for (;;) {
    const ready = await run(`${bin}/pg_isready`, ['-h', '127.0.0.1', '-p', String(port)]).then(
      () => true,
      () => false,
    );
    if (ready) return;
    if (server.exitCode !== null || Date.now() > deadline) throw new Error('PostgreSQL did not start');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Where `initdb` is: on the PATH, or where Debian's package puts it. */
function binaries() {
  const debian = list(DEBIAN)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => `${DEBIAN}/${version}/bin`);
  const folder = [...(process.env.PATH ?? '').split(':').filter(Boolean), ...debian].find((at) => hasServer(at));
  if (!folder) throw new Error('there is no PostgreSQL on this machine: apt-get install postgresql');
  return folder;
}

function hasServer(folder) {
  try {
    for (const name of ['initdb', 'postgres', 'pg_isready']) accessSync(join(folder, name), constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function list(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** PostgreSQL refuses to run as root: then as the user that Debian's package has made. */
async function unprivileged() {
  if (process.getuid?.() !== 0) return {};
  const id = async (flag) => Number((await run('id', [flag, 'postgres'])).stdout);
  return { uid: await id('-u'), gid: await id('-g') };
}
