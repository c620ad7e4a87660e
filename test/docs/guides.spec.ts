import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pages, root, snippets } from './pages.js';

/** A guide `docs/guides/x.md` shows the regions of `test/docs/x.ts`, which `test/docs/x.spec.ts` runs, and excerpts of files that it names. */
const guides = pages.filter(({ path }) => path.startsWith('docs/guides/'));

describe.each(guides.map((page) => [page.path, page] as const))('%s', (path, page) => {
  const name = basename(path, '.md');

  it('shows code that runs in the tests, word by word', () => {
    const source = readFileSync(join(root, 'test/docs', `${name}.ts`), 'utf8');
    const regions = [...source.matchAll(/^\/\/ #region[^\n]*\n(.*?)^\/\/ #endregion$/gms)].map(([, code]) => code);

    const shown = snippets(page);
    const own = shown.filter(({ file }) => file === undefined);
    expect(own.map(({ code }) => code)).toEqual(regions);
    for (const { file, code } of shown) {
      if (file !== undefined) expect(readFileSync(join(root, 'test/docs', file), 'utf8')).toContain(code);
    }
    expect(existsSync(join(root, 'test/docs', `${name}.spec.ts`))).toBe(true);
  });
});
