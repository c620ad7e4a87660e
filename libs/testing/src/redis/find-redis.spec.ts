import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { askRedis } from './ask-redis.js';
import { findRedis } from './find-redis.js';
import type { FoundRedis } from './found-redis.js';
import { findServerBinary } from './redis-server-binary.js';

const real = findServerBinary();
const withServer = real ? describe : describe.skip;
let folder: string;

beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'find-redis-'))));
afterEach(async () => rm(folder, { recursive: true, force: true }));

async function executable(name: string, script: string): Promise<void> {
  await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

describe('findRedis', () => {
  it('does not look further when REDIS_URL cannot be used', async () => {
    await expect(findRedis({ env: { ...process.env, REDIS_URL: 'redis://127.0.0.1:1' } })).rejects.toThrow(
      /REDIS_URL names 127\.0\.0\.1:1, where nothing listens/,
    );
  });

  it('names every way out when there is none', async () => {
    const attempt = findRedis({ env: { PATH: folder }, skip: ['container', 'debian-package'] });
    await expect(attempt).rejects.toThrow(
      /No Redis was found\.\n.*\n.*apt-get install redis-server(.|\n)*Docker(.|\n)*REDIS_URL=/,
    );
  });

  it('says why a server on the PATH did not start', async () => {
    await executable('redis-server', 'echo "Fatal error: no memory at all"; exit 1');
    const attempt = findRedis({ env: { PATH: folder }, skip: ['container', 'debian-package'] });
    await expect(attempt).rejects.toThrow(/did not start on port \d+: Fatal error: no memory at all(.|\n)*REDIS_URL=/);
  });

  it('prefers redis-server to valkey-server', async () => {
    await executable('valkey-server', '');
    expect(findServerBinary(folder)).toBe(join(folder, 'valkey-server'));
    await executable('redis-server', '');
    expect(findServerBinary(folder)).toBe(join(folder, 'redis-server'));
  });
});

withServer('a private server', () => {
  let found: FoundRedis;
  let client: Redis;

  beforeEach(async () => {
    await symlink(real!, join(folder, 'redis-server'));
    found = await findRedis({ env: { PATH: folder } });
    client = new Redis(found.url, { retryStrategy: () => 20 });
    client.on('error', () => undefined);
  });
  afterEach(async () => {
    client.disconnect();
    await found.stop();
  });

  it('keeps an append-only file, evicts nothing, and listens only on this machine', async () => {
    const [appendonly, policy, save, bind] = await Promise.all(
      ['appendonly', 'maxmemory-policy', 'save', 'bind'].map((name) => client.config('GET', name)),
    );
    expect(appendonly).toEqual(['appendonly', 'yes']);
    expect(policy).toEqual(['maxmemory-policy', 'noeviction']);
    expect(save).toEqual(['save', '']);
    expect(bind).toEqual(['bind', '127.0.0.1']);
    expect(found.source).toMatch(/^your redis-server, private, port \d+$/);
  });

  it('has its data back after a crash', async () => {
    await client.set('kept', 'yes');
    await found.crash!();
    expect(await client.get('kept')).toBe('yes');
  });

  it('is gone with its data after stop, which may be repeated', async () => {
    const dir = (await client.config('GET', 'dir')) as [string, string];
    client.disconnect();
    await found.stop();
    await found.stop();
    await expect(askRedis(found.url, 500)).rejects.toThrow();
    await expect(readdir(dir[1])).rejects.toThrow(/ENOENT/);
  });

  it('can run beside another one', async () => {
    const other = await findRedis({ env: { PATH: folder } });
    expect(other.url).not.toBe(found.url);
    await other.stop();
  });
});

describe('a bound process', () => {
  it('dies with a parent that is killed, and its folder is removed', async () => {
    const module = new URL('../process/bound-process.ts', import.meta.url).pathname;
    // The source is loaded through a stripped copy, because the killed parent is a plain Node.
    const { transform } = await import('@swc/core');
    const { readFile } = await import('node:fs/promises');
    const { code } = await transform(await readFile(module, 'utf8'), {
      jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
    });
    await writeFile(join(folder, 'bound.mjs'), code);
    await writeFile(
      join(folder, 'parent.mjs'),
      `import { spawnBound } from './bound.mjs';
       console.log(spawnBound('/bin/sleep', ['60'], { stdio: 'ignore' }, '${folder}/data').pid);
       setInterval(() => undefined, 1000);`,
    );
    const parent = spawn(process.execPath, [join(folder, 'parent.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] });
    const pid = await new Promise<number>((resolve) => parent.stdout.once('data', (text) => resolve(Number(text))));
    expect(isAlive(pid)).toBe(true);
    await mkdir(join(folder, 'data'));
    parent.kill('SIGKILL');
    while (isAlive(pid) || existsSync(join(folder, 'data'))) await new Promise((resolve) => setTimeout(resolve, 10));
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
