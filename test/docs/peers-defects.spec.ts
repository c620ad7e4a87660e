import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { page, root } from './pages.js';

interface Row {
  readonly defect: string;
  readonly tests: readonly { readonly file: string; readonly title: string }[];
}

const rows = page('docs/peers-defects.md')
  .text.split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (what goes wrong |-)/.test(line))
  .map((line): Row => {
    const [, defect = '', , tests = ''] = line.split('|').map((cell) => cell.trim());
    return { defect, tests: [...tests.matchAll(/`([^`]+)`: (.+?)(?: <br>|$)/g)].map(asTest) };
  });

function asTest([, file = '', title = '']: RegExpMatchArray): Row['tests'][number] {
  return { file, title };
}

/** Tests are named by their titles, so that one that is renamed or removed is missed here. */
describe('the table of what goes wrong elsewhere', () => {
  it('has a row for each defect', () => {
    expect(rows).toHaveLength(16);
  });

  it.each(rows.map((row) => [row.defect, row] as const))('names tests that are there: %s', (_defect, { tests }) => {
    expect(tests.length).toBeGreaterThan(0);
    expect(tests.filter(({ file, title }) => !titles(file).includes(title))).toEqual([]);
  });
});

function titles(file: string): readonly string[] {
  const source = readFileSync(join(root, file), 'utf8');
  const calls = /\bit(?:\.each\(\w+\))?\(\s*(['"`])(.+?)\1,/gs;
  const cases = /^\s*\[\s*(['"`])(.+?)\1,/gms;
  return [...source.matchAll(calls), ...source.matchAll(cases)].map(([, , title]) => title!);
}
