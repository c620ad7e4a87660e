import type { ChildProcess } from 'node:child_process';
import { execFile } from 'node:child_process';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import getPort from 'get-port';
import { ended, spawnBound } from '../process/bound-process.js';

const run = promisify(execFile);
const START_TIMEOUT_MS = 60_000;

/** A PostgreSQL that belongs to this process, with the settings of initdb. It can be killed and started again. */
export class PrivatePostgres {
  readonly url: string;
  private child: ChildProcess | undefined;
  private output = '';

  private constructor(
    private readonly binaries: string,
    readonly port: number,
    private readonly folder: string,
    private readonly user: { readonly uid?: number; readonly gid?: number },
  ) {
    this.url = `postgresql://millrace@127.0.0.1:${port}/postgres`;
  }

  /** A new one in a temporary folder, not started. */
  static async create(binaries: string): Promise<PrivatePostgres> {
    const user = await unprivileged();
    const folder = await mkdtemp(join(tmpdir(), 'millrace-postgres-'));
    if (user.uid !== undefined) await chown(folder, user.uid, user.gid!);
    const server = new PrivatePostgres(binaries, await getPort({ host: '127.0.0.1' }), folder, user);
    try {
      await server.run('initdb', ['-D', server.data, '-U', 'millrace', '--auth=trust', '-E', 'UTF8']);
      return server;
    } catch (error) {
      await server.discard();
      throw error;
    }
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    // What was killed may hold its memory for a moment longer, and the next one is refused until then.
    while (Date.now() < deadline) {
      this.output = '';
      const settings = ['-D', this.data, '-p', String(this.port), '-h', '127.0.0.1', '-k', this.folder];
      const options = { ...this.options, stdio: ['ignore', 'ignore', 'pipe'] as ['ignore', 'ignore', 'pipe'] };
      const child = spawnBound(join(this.binaries, 'postgres'), settings, options, this.folder);
      this.child = child;
      child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.output = (this.output + text).slice(-2000)));
      child.on('error', (error) => (this.output += error.message));
      child.unref();
      while (child.exitCode === null && child.signalCode === null && child.pid !== undefined && Date.now() < deadline) {
        if (await this.answers()) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      await this.kill();
    }
    throw new Error(`PostgreSQL did not start on port ${this.port}: ${this.output.trim() || 'it said nothing'}`);
  }

  /** `15.6` */
  async version(): Promise<string> {
    const { stdout } = await this.run('postgres', ['--version']);
    return /\) (\S+)/.exec(stdout)?.[1] ?? stdout.trim();
  }

  /** Ends it without waiting for its clients. */
  async stop(): Promise<void> {
    this.child?.kill('SIGINT');
    if (this.child) await ended(this.child);
    await this.discard();
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    this.child?.kill('SIGKILL');
    if (this.child) await ended(this.child);
  }

  private async answers(): Promise<boolean> {
    return this.run('pg_isready', ['-q', '-h', '127.0.0.1', '-p', String(this.port)]).then(
      () => true,
      () => false,
    );
  }

  private run(program: string, args: string[]): Promise<{ readonly stdout: string }> {
    return run(join(this.binaries, program), args, this.options);
  }

  private get options() {
    return { ...this.user, cwd: this.folder, env: { PATH: process.env.PATH, LC_ALL: 'C' } };
  }

  private get data(): string {
    return join(this.folder, 'data');
  }

  private async discard(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** PostgreSQL refuses to run as root: then it runs as the user that Debian's package has made. */
async function unprivileged(): Promise<{ readonly uid?: number; readonly gid?: number }> {
  if (process.getuid?.() !== 0) return {};
  const id = async (flag: string) => Number((await run('id', [flag, 'postgres'])).stdout);
  return { uid: await id('-u'), gid: await id('-g') };
}
