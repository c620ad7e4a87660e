import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ICruiseOptions, ICruiseResult, IViolation } from 'dependency-cruiser';
import { cruise } from 'dependency-cruiser';
import extractOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';
import extractTsConfig from 'dependency-cruiser/config-utl/extract-ts-config';

const root = process.cwd();
const fixtures = join(root, 'test/fixtures/dependency-rules');
const brokenRules = readdirSync(fixtures).sort();
const options: ICruiseOptions = await extractOptions(join(root, '.dependency-cruiser.cjs'));

/** That they hold for the whole tree is what `npm run deps` checks. */
describe('dependency rules', () => {
  let workspace: string;

  beforeEach(() => {
    workspace = mkdtempSync(join(tmpdir(), 'dependency-rules-'));
    process.chdir(workspace);
  });

  afterEach(() => {
    process.chdir(root);
    rmSync(workspace, { recursive: true });
  });

  it('each have a workspace that breaks them', () => {
    expect(options.ruleSet?.forbidden?.map((rule) => rule.name).sort()).toEqual(brokenRules);
  });

  it.each(brokenRules)('%s reports the files that break it, and no other rule', async (rule) => {
    cpSync(join(fixtures, rule), workspace, { recursive: true });
    for (const file of ['tsconfig.spec.json', 'tsconfig.base.json']) cpSync(join(root, file), join(workspace, file));
    symlinkSync(join(root, 'node_modules'), join(workspace, 'node_modules'));

    const found = await violations();

    expect(new Set(found.map(({ rule: { name } }) => name))).toEqual(new Set([rule]));
    expect(new Set(found.map(({ from }) => from))).toEqual(filesThatBreakTheRule(join(fixtures, rule)));
  });
});

/** What the rules say about the workspace in the current directory, which is where a tsconfig's paths start. */
async function violations(): Promise<IViolation[]> {
  const directories = ['libs', 'apps', 'test', 'bench'].filter((directory) => existsSync(directory));
  const tsConfig = extractTsConfig(options.tsConfig?.fileName ?? '');
  const { output } = await cruise(directories, options, undefined, { tsConfig });
  return (output as ICruiseResult).summary.violations;
}

/** Every file that must be reported says so in its first line. */
function filesThatBreakTheRule(fixture: string): Set<string> {
  const files = readdirSync(fixture, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return new Set(files.filter((file) => readFileSync(join(fixture, file), 'utf8').startsWith('// breaks the rule')));
}
