import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { npmProject } from './npm-project.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const LIBS = ['messages', 'transforms', 'broker', 'event-store', 'saga'];
const OTHERS = ['reflect-metadata@^0.2', 'rxjs@^7.8', 'class-validator@^0.15', 'class-transformer@^0.5'];

/** The packages as npm would publish them, in a project with another Nest, and in one whose modules are CommonJS. */
export function nestLegs({ folder, short }) {
  const legs = [
    { nest: 11, ioredis: '^5.9', type: 'commonjs' },
    { nest: 11, ioredis: '^6', type: 'module' },
    { nest: 12, ioredis: '^6', type: 'commonjs' },
  ];
  return (short ? legs.slice(0, 1) : legs).map(({ nest, ioredis, type }) => ({
    name: `Nest ${nest}, ${type === 'module' ? 'ES modules' : 'CommonJS'}`,
    run: (redis) => {
      const project = join(folder, `nest-${nest}-${type}`);
      const nests = ['common', 'core', 'microservices'].map((name) => `@nestjs/${name}@^${nest}`);
      npmProject(project, [...packed(folder), ...nests, `ioredis@${ioredis}`, ...OTHERS], { type });
      cpSync(join(ROOT, 'test/matrix/smoke/app.ts'), join(project, 'app.ts'));
      writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: OPTIONS, files: ['app.ts'] }));
      const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
      const said = [
        ...run([tsc], project),
        ...run(['dist/app.js'], project, { REDIS_URL: redis.url, NAMESPACE: `smoke-${nest}-${type}` }),
      ];
      return {
        passed: said.at(-1) === 'ok',
        summary: said.at(-1) === 'ok' ? `${said.length - 1} passed` : said.join('\n'),
      };
    },
  }));
}

const OPTIONS = {
  ...{ module: 'nodenext', target: 'es2023', outDir: 'dist', strict: true, skipLibCheck: true },
  ...{ experimentalDecorators: true, emitDecoratorMetadata: true, useDefineForClassFields: false },
  ...{ types: ['node'], typeRoots: [join(ROOT, 'node_modules/@types')] },
};

/** Packed once for all projects. */
function packed(folder) {
  const target = join(folder, 'packages');
  const tarballs = () => readdirSync(target).map((name) => join(target, name));
  try {
    return tarballs();
  } catch {
    mkdirSync(target);
    const workspaces = LIBS.flatMap((lib) => ['-w', `libs/${lib}`]);
    execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', target, ...workspaces], {
      cwd: ROOT,
      stdio: 'ignore',
    });
    return tarballs();
  }
}

/** Lines of its standard output, and its errors where it failed. */
function run(words, cwd, env = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, words, {
    cwd,
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, ...env, NODE_OPTIONS: '' },
  });
  const lines = stdout.split('\n').filter(Boolean);
  return status === 0 ? lines : [...lines, stderr];
}
