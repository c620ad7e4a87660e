import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { programOf } from '../support/program-of.js';

const SCRIPT = programOf('waiting-process');

it('many messages that wait for their next attempt are no leak of listeners to Node', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT], { timeout: 15_000 });
  expect(JSON.parse(stdout)).toEqual({ done: 30, warnings: [] });
});
