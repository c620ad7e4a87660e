import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Where a program of this folder is started from, by its name without `.mjs`: bundled, where the setup of the tests has
 * bundled it. As it stands with the packages of another version, which would not be in the bundle.
 */
export function programOf(name: string): string {
  return bundled(name) ?? fileURLToPath(new URL(`./${name}.mjs`, import.meta.url));
}

/** The same for a command of a library. {@link builtCommand} is what users start, and loads applications. */
export function commandOf(lib: string, name: string): string {
  return bundled(name) ?? builtCommand(lib, name);
}

/** A command as its package ships it. */
export function builtCommand(lib: string, name: string): string {
  const folder = resolve('libs', lib);
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { bin: Record<string, string> };
  return join(folder, bin[name]!);
}

function bundled(name: string): string | undefined {
  const folder = process.env.TEST_PROGRAMS;
  const file = folder && join(folder, `${name}.mjs`);
  return file && existsSync(file) ? file : undefined;
}
