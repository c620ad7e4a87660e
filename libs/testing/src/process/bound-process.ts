import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { spawn } from 'node:child_process';

/**
 * Starts a process that never outlives this one, not even when this one is killed with SIGKILL.
 *
 * It has a process group of its own, so Ctrl-C in a terminal reaches only this process, which decides what to stop first.
 *
 * @param folder is removed when this process dies before the child. Default none.
 */
export function spawnBound(
  command: string,
  args: readonly string[],
  options: SpawnOptions = {},
  folder = '',
): ChildProcess {
  const child = spawn(command, args, { ...options, detached: true });
  if (child.pid !== undefined && process.platform !== 'win32') guard(child, child.pid, folder);
  return child;
}

/** A shell that waits for the end of its input, which comes when this process dies. */
function guard(child: ChildProcess, pid: number, folder: string): void {
  const script = 'read -r _; kill -9 "$0"; [ -z "$1" ] || rm -rf "$1"';
  const shell = spawn('/bin/sh', ['-c', script, String(pid), folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  shell.on('error', () => undefined);
  shell.unref();
  (shell.stdin as unknown as { unref?(): void } | null)?.unref?.();
  child.once('exit', () => shell.kill('SIGKILL'));
}

/** Resolves with the exit code, or the signal, once the process has ended. */
export function ended(child: ChildProcess): Promise<number | NodeJS.Signals | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode ?? child.signalCode);
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal));
    child.once('error', () => resolve(null));
  });
}
