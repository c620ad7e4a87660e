import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ArchiveStore } from './archive-store.js';

/** An archive as files of a folder, which every process of the service can reach. */
export class FileArchiveStore implements ArchiveStore {
  /** @param folder created when it is not there */
  constructor(private readonly folder: string) {}

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const path = join(this.folder, key);
    await mkdir(dirname(path), { recursive: true });
    // Nobody finds half a file, also after a crash: it is written and flushed beside its place first.
    const draft = `${path}.${randomUUID()}.draft`;
    const file = await open(draft, 'wx');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
    await syncFolder(dirname(path));
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return unlessMissing(readFile(join(this.folder, key)));
  }

  async list(prefix: string): Promise<readonly string[]> {
    const names = (await unlessMissing(readdir(join(this.folder, prefix)))) ?? [];
    return names.filter((name) => !name.endsWith('.draft')).map((name) => `${prefix}${name}`);
  }
}

/** A name is safe when its folder is. Windows has no such thing. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function unlessMissing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined;
    throw error;
  }
}
