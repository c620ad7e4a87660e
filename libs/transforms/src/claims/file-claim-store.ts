import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClaimStore } from './claim-store.js';

/** How often expired files are looked for, ms. */
const SWEEP_MS = 60_000;

/**
 * Claims as files of one folder, which all services that exchange them can reach. The time of a file is when it expires.
 */
export class FileClaimStore implements ClaimStore {
  private swept = 0;

  /**
   * @param folder created when it is not there
   * @param now the time, ms since 1970
   */
  constructor(
    private readonly folder: string,
    private readonly now: () => number = Date.now,
  ) {}

  async put(id: string, text: string, ttlMs: number): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    if (this.now() - this.swept > SWEEP_MS) await this.sweep();
    const path = this.path(id);
    // Nobody finds half a claim: it is written beside its place first.
    const draft = `${path}.${randomUUID()}`;
    await writeFile(draft, text);
    const until = new Date(this.now() + ttlMs);
    await utimes(draft, until, until);
    await rename(draft, path);
  }

  async get(id: string): Promise<string | undefined> {
    try {
      const path = this.path(id);
      return (await stat(path)).mtimeMs > this.now() ? await readFile(path, 'utf8') : undefined;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Removes what has expired. Happens by itself with `put`, at most once a minute. */
  async sweep(): Promise<void> {
    this.swept = this.now();
    for (const name of await readdir(this.folder)) {
      const path = join(this.folder, name);
      try {
        if ((await stat(path)).mtimeMs <= this.now()) await rm(path);
      } catch (error) {
        // Another service sweeps, too.
        if (!isMissing(error)) throw error;
      }
    }
  }

  /** An id may be any text; a hash is always a file name. */
  private path(id: string): string {
    return join(this.folder, createHash('sha256').update(id).digest('hex'));
  }
}

function isMissing(error: unknown): boolean {
  return (error as { code?: string }).code === 'ENOENT';
}
