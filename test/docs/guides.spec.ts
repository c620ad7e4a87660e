import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pages, root, snippets } from './pages.js';

/** A guide `docs/guides/x.md` shows the regions of `test/docs/x.ts`, which `test/docs/x.spec.ts` runs. */
const guides = pages.filter(({ path }) => path.startsWith('docs/guides/'));

describe.each(guides.map((page) => [page.path, page] as const))('%s', (path, page) => {
  const name = basename(path, '.md');

  it('shows code that runs in the tests, word by word', () => {
    const source = readFileSync(join(root, 'test/docs', `${name}.ts`), 'utf8');
    const regions = [...source.matchAll(/^\/\/ #region[^\n]*\n(.*?)^\/\/ #endregion$/gms)].map(([, code]) => code);

    expect(snippets(page).map(({ code }) => code)).toEqual(regions);
    expect(existsSync(join(root, 'test/docs', `${name}.spec.ts`))).toBe(true);
  });
});
