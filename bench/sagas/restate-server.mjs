import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import getPort from 'get-port';
import { ended, spawnBound } from '@millrace/testing';
import { here } from './sides.mjs';

const START_MS = 60_000;

/** A private Restate as its npm package brings it, with the settings it has by default; its data in a temporary folder. */
export async function privateRestate() {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-restate-'));
  const [ingress, admin, node] = await Promise.all([1, 2, 3].map(() => getPort({ host: '127.0.0.1' })));
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingress}`,
    RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${admin}`,
    RESTATE_BIND_ADDRESS: `127.0.0.1:${node}`,
    RESTATE_LISTEN_MODE: 'tcp',
    RESTATE_DISABLE_TELEMETRY: 'true',
    RESTATE_LOG_FILTER: 'error',
  };
  const server = spawnBound(
    here(`restate/node_modules/@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`),
    ['--base-dir', folder, '--no-logo'],
    { cwd: folder, env, stdio: 'ignore' },
    folder,
  );
  const stop = async () => {
    server.kill('SIGTERM');
    await ended(server);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const { version } = await answered(`http://127.0.0.1:${admin}/version`, server);
    await answered(`http://127.0.0.1:${ingress}/restate/health`, server);
    return {
      setting: { ingress: `http://127.0.0.1:${ingress}`, admin: `http://127.0.0.1:${admin}` },
      description: `Restate ${version}, default durability`,
      cpuSeconds: async () => NaN,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function answered(url, server) {
  const deadline = Date.now() + START_MS;
  for (;;) {
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return response.json().catch(() => ({}));
    if (server.exitCode !== null || Date.now() > deadline) throw new Error(`Restate did not start: ${url}`);
    await sleep(50);
  }
}
