import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';

/** Installs a peer into its folder when it is first measured, by the lock file there; it is no dependency of the repository. */
export async function installed(folder) {
  if (existsSync(`${folder}/node_modules`)) return;
  console.error(`installing into ${folder}`);
  await promisify(execFile)('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: folder });
}
