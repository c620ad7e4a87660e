import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { ended, spawnBound } from '@millrace/testing';
import { eventually, request } from './http.js';
import type { ServiceName } from './shop.js';

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;

export interface ServiceSetting {
  /** The script to run. */
  readonly main: string;
  readonly port: number;
  readonly env: NodeJS.ProcessEnv;
  readonly logFile: string;
}

/** One service of the shop as a process. Its output goes to a file. */
export class ServiceProcess {
  readonly url: string;
  /** Whether it answers, as far as is known. */
  up = false;
  private child: ChildProcess | undefined;

  /** @param onLost called when it ended although nobody stopped it */
  constructor(
    readonly name: ServiceName,
    private readonly setting: ServiceSetting,
    private readonly onLost: (error: Error) => void,
  ) {
    this.url = `http://127.0.0.1:${setting.port}`;
  }

  /** Starts it; `ready()` says when it answers. */
  start(): void {
    const { main, port, env, logFile } = this.setting;
    const log = openSync(logFile, 'a');
    const child = spawnBound(process.execPath, ['--enable-source-maps', main], {
      env: { ...process.env, NO_COLOR: '1', ...env, PORT: String(port) },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.child = child;
    void ended(child).then(async (how) => {
      if (this.child !== child) return;
      this.child = undefined;
      this.up = false;
      this.onLost(new Error(`${this.name} ended by itself (${how}).\n${await this.lastWords()}`));
    });
  }

  /** Resolves when its health endpoint says so. */
  async ready(): Promise<void> {
    await eventually(`${this.name} to be ready (its log is ${this.setting.logFile})`, START_TIMEOUT_MS, async () => {
      const { status } = await request(`${this.url}/health`, {}, 2000);
      return status === 200 ? true : undefined;
    });
    this.up = this.child !== undefined;
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** SIGTERM, so that it finishes what it does; SIGKILL when that takes too long. */
  async stop(): Promise<void> {
    await this.end('SIGTERM');
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.child;
    this.child = undefined;
    this.up = false;
    if (!child) return;
    child.kill(signal);
    const impatience = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await ended(child);
    clearTimeout(impatience);
  }

  private async lastWords(): Promise<string> {
    const log = await readFile(this.setting.logFile, 'utf8').catch(() => '');
    return log.trim().split('\n').slice(-8).join('\n');
  }
}
