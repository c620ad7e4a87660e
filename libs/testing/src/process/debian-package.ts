import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const POLICY = '/usr/sbin/policy-rc.d';

/** Whether this process may install packages: root on a Debian-like system. */
export function mayInstall(): boolean {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version') && existsSync('/usr/bin/apt-get');
}

/**
 * Installs a server from Debian without starting it as a system service.
 *
 * @throws Error with apt's own words
 */
export async function installDebianPackage(name: string): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // The package starts its service when installed, unless policy-rc.d forbids it (exit code 101).
  const forbidding = !existsSync(POLICY);
  if (forbidding) await writeFile(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await apt(['update'], env);
    await apt(['install', '-y', '--no-install-recommends', name], env);
  } finally {
    if (forbidding) await rm(POLICY, { force: true });
  }
}

async function apt(args: string[], env: NodeJS.ProcessEnv): Promise<void> {
  try {
    await run('apt-get', ['-q', ...args], { env, maxBuffer: 16 * 1024 * 1024 });
  } catch (error) {
    const words = String((error as { stderr?: string }).stderr || (error as Error).message).trim();
    throw new Error(`apt-get ${args[0]} failed: ${words.split('\n').slice(-3).join(' ')}`, { cause: error });
  }
}
