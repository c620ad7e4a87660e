import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import getPort from 'get-port';
import { eventually, get, request } from './http.js';
import { ServiceProcess } from './service-process.js';

const HEALTHY = `
  import { createServer } from 'node:http';
  console.log('starting with ' + process.env.REDIS_URL);
  createServer((_, response) => response.end(JSON.stringify({ pid: process.pid }))).listen(Number(process.env.PORT));
  process.on('SIGTERM', () => { console.log('drained'); process.exit(0); });
`;

describe('a service process', () => {
  let folder: string;
  let service: ServiceProcess;
  let lost: Error[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'service-'));
    lost = [];
  });
  afterEach(async () => {
    await service.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function start(script: string): Promise<void> {
    const main = join(folder, 'main.mjs');
    await writeFile(main, script);
    const setting = { main, port: await getPort(), env: { REDIS_URL: 'redis://x' }, logFile: join(folder, 'log') };
    service = new ServiceProcess('payment', setting, (error) => lost.push(error));
    service.start();
  }
  const pid = async () => (await get<{ pid: number }>(service.url)).pid;
  const log = () => readFile(join(folder, 'log'), 'utf8');

  it('is up when its health endpoint answers, and logs to its file', async () => {
    await start(HEALTHY);
    expect(service.up).toBe(false);
    await service.ready();
    expect(service.up).toBe(true);
    expect(await log()).toContain('starting with redis://x');
  });

  it('comes back on the same port after it was killed', async () => {
    await start(HEALTHY);
    await service.ready();
    const first = await pid();
    await service.kill();
    expect(service.up).toBe(false);
    await expect(request(service.url)).rejects.toThrow();
    service.start();
    await service.ready();
    expect(await pid()).not.toBe(first);
    expect(lost).toEqual([]);
  });

  it('finishes what it does when it is stopped', async () => {
    await start(HEALTHY);
    await service.ready();
    await service.stop();
    expect(await log()).toContain('drained');
    expect(lost).toEqual([]);
  });

  it('is reported with its last words when it ends by itself', async () => {
    await start(`console.error('no Redis here'); process.exit(3);`);
    await eventually('the report', 5000, async () => (lost.length > 0 ? true : undefined));
    expect(lost[0]!.message).toBe('payment ended by itself (3).\nno Redis here');
  });
});
