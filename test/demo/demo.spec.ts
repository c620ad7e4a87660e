import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../apps/demo/dist/main.js', import.meta.url));

interface Answer {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the built demo, as `npm run demo --` does. */
function demo(...args: string[]): Promise<Answer> {
  const env = { ...process.env, REDIS_URL: process.env.TEST_REDIS_URL };
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], { env }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    );
  });
}

const lastLine = (text: string) => JSON.parse(text.trimEnd().split('\n').at(-1)!) as Record<string, unknown>;

describe('npm run demo', () => {
  it('ends every order exactly once while services are killed', async () => {
    const { code, out, err } = await demo('--orders', '40', '--seed', '7', '--kill', '6', '--json');
    const result = lastLine(out);
    expect(result).toMatchObject({ orders: 40, unfinished: 0, violations: [], redis: { version: expect.any(String) } });
    expect(result.kills).toBeGreaterThanOrEqual(5);
    expect(result.kills).toBeLessThanOrEqual(6);
    expect(Number(result.confirmed) + Number(result.rejected) + Number(result.parked)).toBe(40);
    expect(out.trim().split('\n')).toHaveLength(1);
    expect(err).toContain('9 of 9 hold');
    expect(code).toBe(0);
  }, 180_000);

  it('needs no Redis in memory, and says what that means', async () => {
    const { code, out } = await demo('--orders', '10', '--seed', '1', '--in-memory');
    expect(out).toMatch(/no Redis\. Nothing survives(.|\n)*0 unfinished(.|\n)*9 of 9 hold/);
    expect(code).toBe(0);
  }, 60_000);

  it('explains an unknown option with usage and exit code 2', async () => {
    const { code, err } = await demo('--nonsense');
    expect(err).toMatch(/unknown option '--nonsense'(.|\n)*Usage:/);
    expect(code).toBe(2);
  });
});
