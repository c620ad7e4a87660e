import { join } from 'node:path';
import ts from 'typescript';
import { root, snippets } from './pages.js';
import type { Page } from './pages.js';

/**
 * Compiles the snippets of pages against the workspace, with the settings of the specs. Those of one page are one module,
 * in the order in which its reader meets them; it stands in this folder. Excerpts of files are compiled with their files.
 *
 * @returns `page:line: what is wrong`
 */
export function errorsIn(pages: readonly Page[]): string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.spec.json'), ts.sys.readFile);
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const modules = new Map(pages.map((page) => [moduleOf(page), page]));
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  host.fileExists = (name) => modules.has(name) || fileExists(name);
  host.readFile = (name) => (modules.has(name) ? moduleText(modules.get(name)!) : readFile(name));
  const { getSourceFile } = host;
  host.getSourceFile = (name, target, ...rest) =>
    modules.has(name) ? ts.createSourceFile(name, host.readFile(name)!, target) : getSourceFile(name, target, ...rest);

  const declarations = fileNames.filter((name) => name.endsWith('.d.ts'));
  const program = ts.createProgram([...modules.keys(), ...declarations], options, host);
  return [...modules].flatMap(([name, { path }]) => {
    const source = program.getSourceFile(name)!;
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return found.map(({ start = 0, messageText }) => {
      const { line } = source.getLineAndCharacterOfPosition(start);
      return `${path}:${line + 1}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
  });
}

/** Every line of code stands where it stands in the page. */
function moduleText(page: Page): string {
  const lines = page.text.split('\n').map(() => '');
  for (const { file, code, line } of snippets(page)) {
    if (file === undefined) lines.splice(line, code.split('\n').length, ...code.split('\n'));
  }
  return lines.join('\n');
}

function moduleOf({ path }: Page): string {
  return join(root, 'test/docs', `page.${path.replaceAll(/\W/g, '-')}.ts`);
}
