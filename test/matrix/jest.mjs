import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const OTHER_VERSIONS = fileURLToPath(new URL('./other-versions.mjs', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Runs specs with another environment, on a Redis of their own. */
export function jest(specs, env, folder) {
  const summary = join(folder, 'summary');
  const hook = env.MILLRACE_INSTEAD ? { NODE_OPTIONS: `--import ${OTHER_VERSIONS}` } : {};
  const { status } = spawnSync(
    process.execPath,
    ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js', '--silent', ...specs],
    {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, REDIS_URL: '', TEST_REDIS_URL: '', MILLRACE_TEST_SUMMARY: summary, ...hook, ...env },
    },
  );
  return { passed: status === 0, summary: readFileSync(summary, 'utf8').trim() };
}
