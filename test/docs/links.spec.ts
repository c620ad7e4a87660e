import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { page, pages, prose, root } from './pages.js';
import type { Page } from './pages.js';

describe.each(pages.map((page) => [page.path, page] as const))('%s', (_path, page) => {
  it('links to files and headings that are there', () => {
    expect(linksOf(page).filter((link) => !leadsSomewhere(page, link))).toEqual([]);
  });

  it('names files that are there', () => {
    expect(filesNamedIn(page).filter((file) => !existsSync(join(root, file)))).toEqual([]);
  });
});

describe('docs/shop.md', () => {
  it('lists every option of the demo, and no other', () => {
    const demo = join(root, 'apps/demo/dist/main.js');
    const { stdout } = spawnSync(process.execPath, [demo, '--help'], { encoding: 'utf8' });
    const options = [...stdout.matchAll(/^ +(--[a-z-]+)/gm)].map(([, option]) => option);
    const listed = [...page('docs/shop.md').text.matchAll(/^\| `(--[a-z-]+)/gm)].map(([, option]) => option);

    expect(listed.sort()).toEqual(options.sort());
  });
});

function linksOf(page: Page): string[] {
  return [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link]) => link!)
    .filter((link) => !/^https?:/.test(link));
}

function leadsSomewhere(from: Page, link: string): boolean {
  const [path = '', heading] = link.split('#');
  const target = path === '' ? from.path : normalize(join(dirname(from.path), path));
  if (!existsSync(join(root, target))) return false;
  return heading === undefined || headingsOf(page(target)).includes(heading);
}

/** As GitHub names them. */
function headingsOf(page: Page): string[] {
  return [...prose(page).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Paths in backticks that begin with a folder of the repository; `dist` comes with a build. */
function filesNamedIn(page: Page): string[] {
  return [...prose(page).matchAll(/`((?:libs|apps|test|bench|docs)\/[\w./-]+)`/g)]
    .map(([, file]) => file!)
    .filter((file) => !file.includes('/dist'));
}
