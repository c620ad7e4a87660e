import { errorsIn } from './compile.js';
import { pages, snippets } from './pages.js';
import type { Page } from './pages.js';

describe('the code in the documentation', () => {
  it('compiles against the libraries as strictly as they do', () => {
    const withCode = pages.filter((page) => snippets(page).length > 0);

    expect(withCode.map(({ path }) => path)).toContain('README.md');
    expect(errorsIn(withCode)).toEqual([]);
  }, 60_000);

  it('is reported by page and line when it does not', () => {
    const page: Page = {
      path: 'docs/wrong.md',
      text: [
        '# A page',
        '```ts',
        "import { saga } from '@millrace/saga';",
        'saga<string>().step();',
        '```',
        'and then',
        '```ts',
        'const unused: number = 1;',
        '```',
      ].join('\n'),
    };

    expect(errorsIn([page])).toEqual([
      "docs/wrong.md:4: Property 'step' does not exist on type 'NewSaga<string>'.",
      "docs/wrong.md:8: 'unused' is declared but its value is never read.",
    ]);
  }, 60_000);
});
