import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SCRIPT = fileURLToPath(new URL('../support/waiting-process.mjs', import.meta.url));

it('many messages that wait for their next attempt are no leak of listeners to Node', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT], { timeout: 15_000 });
  expect(JSON.parse(stdout)).toEqual({ done: 30, warnings: [] });
});
