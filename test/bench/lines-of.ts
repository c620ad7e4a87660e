import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Line {
  readonly suite: string;
  readonly case: string;
  readonly unit: string;
  readonly value: number;
  readonly baseline?: string;
  readonly ratio?: number;
}

/** The lines of a benchmark that is too short for its figures to mean anything. */
export async function linesOf(suite: string, ...options: string[]): Promise<Line[]> {
  const { stdout } = await run(process.execPath, ['bench/run.mjs', suite, '--json', '--rounds', '1', ...options]);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}
