import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A page of the documentation. */
export interface Page {
  /** Path from the root of the repository. */
  readonly path: string;
  readonly text: string;
}

export const root = process.cwd();

export const pages: readonly Page[] = ['.', 'bench', ...folders('docs')].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => page(join(folder, name))),
);

export function page(path: string): Page {
  return { path, text: readFileSync(join(root, path), 'utf8') };
}

function folders(top: string): string[] {
  const inside = readdirSync(join(root, top), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [top, ...inside.flatMap(({ name }) => folders(join(top, name)))];
}

/** A fenced block of TypeScript. Text behind the language names the file that it is taken from: "```ts messages.ts". */
export interface Snippet {
  readonly file: string | undefined;
  readonly code: string;
  /** Where its code begins in the page, from 0. */
  readonly line: number;
}

export function snippets({ text }: Page): Snippet[] {
  return [...text.matchAll(FENCE)]
    .filter(({ groups }) => groups!.language === 'ts')
    .map(({ groups, index }) => ({
      file: groups!.file || undefined,
      code: groups!.code!,
      line: text.slice(0, index).split('\n').length,
    }));
}

/** The page without its fenced blocks. */
export function prose({ text }: Page): string {
  return text.replace(FENCE, '');
}

const FENCE = /^```(?<language>\w*) ?(?<file>[^\n]*)\n(?<code>.*?)^```$/gms;
