import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ended, spawnBound } from '@millrace/testing';
import getPort from 'get-port';
import { onTestFinished } from './redis.js';

/** A server of the test's own with settings of its own. Killed when the test has finished. */
export interface ServerProcess {
  readonly port: number;
  /** SIGSTOP freezes it: its connections stay, and nothing answers. */
  signal(signal: NodeJS.Signals): void;
  /** SIGKILL. */
  kill(): Promise<void>;
}

/** @param settings by the port it shall have */
export async function serverProcess(
  settings: (port: number) => Readonly<Record<string, string | number>>,
): Promise<ServerProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-server-'));
  const port = await getPort({ host: '127.0.0.1' });
  const words = Object.entries({ bind: '127.0.0.1', dir: folder, save: '', ...settings(port) });
  const child = spawnBound(
    'redis-server',
    words.flatMap(([name, value]) => [`--${name}`, String(value)]),
    { stdio: process.env['DEBUG_SERVER'] ? 'inherit' : 'ignore' },
    folder,
  );
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended(child);
  };
  onTestFinished(async () => {
    await kill();
    await rm(folder, { recursive: true, force: true });
  });
  return { port, signal: (signal) => void child.kill(signal), kill };
}
