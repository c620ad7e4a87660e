import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import type { SubscriberSettings } from '@millrace/broker';
import { ended, spawnBound } from '@millrace/testing';
import { programOf } from './program-of.js';
import { eventually, onTestFinished, redisUrl } from './redis.js';
import type { Site } from './site.js';

const PROGRAM = programOf('worker-process');

/** A service process of a site, which can be killed, frozen and stopped. */
export class Worker {
  readonly lines: string[] = [];
  /** Resolves once the process has ended and all that it said is in `lines`. */
  readonly ended: Promise<number | NodeJS.Signals | null>;

  private constructor(private readonly child: ChildProcess) {
    const output = createInterface({ input: child.stdout! }).on('line', (line) => this.lines.push(line));
    this.ended = Promise.all([ended(child), once(output, 'close')]).then(([end]) => end);
  }

  static start(site: Site, settings: SubscriberSettings = {}, url = redisUrl(), program = PROGRAM): Worker {
    const argument = JSON.stringify({
      url,
      namespace: site.namespace,
      partitions: site.partitions,
      settings: { blockMs: 100, ...settings },
    });
    const child = spawnBound(process.execPath, [program, argument], {
      cwd: tmpdir(),
      stdio: ['ignore', 'pipe', process.env['DEBUG_WORKER'] ? 'inherit' : 'ignore'],
    });
    const worker = new Worker(child);
    onTestFinished(async () => {
      worker.signal('SIGKILL');
      await worker.ended;
    });
    return worker;
  }

  async said(line: string): Promise<void> {
    // Several processes that start at once on a loaded machine take their time.
    await eventually(() => expect(this.lines).toContain(line), 30_000);
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  get pid(): number {
    return this.child.pid!;
  }
}

/** The events that the workers of a site have appended. */
export async function done(site: Site): Promise<readonly { readonly n: number; readonly pid: number }[]> {
  const { entries } = await site.store.readStream({ context: site.context, index: 0 }, 'done');
  return entries.map(({ fields }) => JSON.parse(fields[1]!) as { n: number; pid: number });
}
