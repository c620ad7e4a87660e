import type { ChildProcess } from 'node:child_process';
import { ended, spawnBound } from '../process/bound-process.js';
import type { RedisAnswer } from './ask-redis.js';
import { askRedis } from './ask-redis.js';

const START_TIMEOUT_MS = 10_000;

/** A server process that belongs to this one. It can be killed and started again on the same port and data. */
export class PrivateRedis {
  readonly url: string;
  private child: ChildProcess | undefined;
  private output = '';

  constructor(
    private readonly binary: string,
    private readonly port: number,
    private readonly folder: string,
  ) {
    this.url = `redis://127.0.0.1:${port}`;
  }

  /** Resolves when it answers. */
  async start(): Promise<RedisAnswer> {
    this.output = '';
    const child = spawnBound(this.binary, this.settings(), { stdio: ['ignore', 'pipe', 'pipe'] }, this.folder);
    this.child = child;
    child.on('error', (error) => (this.output += error.message));
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output = (this.output + text).slice(-2000)));
    }
    child.unref();
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (child.exitCode === null && child.signalCode === null && child.pid !== undefined && Date.now() < deadline) {
      const answer = await askRedis(this.url, 1000).catch(() => undefined);
      // Another server may have taken the port in between: only our own process counts.
      if (answer?.pid === child.pid) return answer;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const words = this.output.trim().split('\n').slice(-3).join(' ');
    throw new Error(`${this.binary} did not start on port ${this.port}: ${words || 'it said nothing'}`);
  }

  /** SIGTERM, and SIGKILL when that takes longer than 5 s. */
  async stop(): Promise<void> {
    const child = this.child;
    if (!child) return;
    child.kill('SIGTERM');
    const impatience = setTimeout(() => child.kill('SIGKILL'), 5000);
    await ended(child);
    clearTimeout(impatience);
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    if (!this.child) return;
    this.child.kill('SIGKILL');
    await ended(this.child);
  }

  private settings(): string[] {
    const settings = {
      bind: '127.0.0.1',
      port: String(this.port),
      dir: this.folder,
      appendonly: 'yes',
      appendfsync: 'everysec',
      save: '',
      'maxmemory-policy': 'noeviction',
    };
    return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  }
}
