import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Some of what each package must export to be of use. */
const EXPORTS: Record<string, string[]> = {
  messages: ['Event', 'Command', 'Reply', 'envelope', 'encode', 'decode'],
  transforms: ['translate', 'upcast', 'pipeline'],
  broker: ['BrokerModule', 'Handles', 'On', 'Publisher', 'InMemoryPartitionStore', 'RedisPartitionStore'],
  'event-store': ['EventStoreModule', 'Aggregate', 'AggregateRoot', 'Apply', 'Projection', 'Projects'],
  saga: ['SagaModule', 'saga'],
  testing: ['findRedis', 'describePartitionStore'],
};
const libs = Object.keys(EXPORTS);
const root = process.cwd();

interface Tarball {
  name: string;
  filename: string;
  files: { path: string }[];
}

interface Manifest {
  version: string;
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

describe('the packages as npm would publish them', () => {
  let project: string;
  let tarballs: Map<string, Tarball>;

  beforeAll(() => {
    project = mkdtempSync(join(tmpdir(), 'millrace-pack-'));
    const workspaces = libs.flatMap((lib) => ['-w', `libs/${lib}`]);
    const packed = run(
      'npm',
      ['pack', '--json', '--ignore-scripts', '--pack-destination', project, ...workspaces],
      root,
    );
    tarballs = new Map(tarballsIn(packed).map((tarball) => [tarball.name, tarball]));
    for (const lib of libs) install(lib);
  }, 60_000);

  afterAll(() => {
    rmSync(project, { recursive: true, force: true });
  });

  it.each(libs)('%s carries its build, its types, its manifest and the licence', (lib) => {
    const files = tarballs.get(`@millrace/${lib}`)?.files.map(({ path }) => path);

    expect(files).toEqual(expect.arrayContaining(['LICENSE', 'dist/index.d.ts', 'dist/index.js', 'package.json']));
  });

  it.each(libs)('%s carries neither specs nor build state', (lib) => {
    const files = tarballs.get(`@millrace/${lib}`)?.files.map(({ path }) => path) ?? [];

    expect(files.filter((path) => /spec\.|tsbuildinfo|^test/.test(path))).toEqual([]);
  });

  // In the order of their layers: each loads after those only that it imports itself.
  it('all load in plain Node with the packages that they declare', () => {
    const script = `
      const names = {};
      for (const lib of ${JSON.stringify(libs)}) names[lib] = Object.keys(await import('@millrace/' + lib));
      console.log(JSON.stringify(names));`;
    const names = JSON.parse(run(process.execPath, ['--input-type=module', '--eval', script], project)) as object;

    const expected = Object.entries(EXPORTS).map(([lib, some]) => [lib, expect.arrayContaining(some) as string[]]);
    expect(names).toEqual(Object.fromEntries(expected));
  });

  it('all have types that a strict consumer compiles against', () => {
    const imports = libs.map((lib) => `export { ${EXPORTS[lib]?.join(', ')} } from '@millrace/${lib}';`);
    writeFileSync(join(project, 'consumer.mts'), imports.join('\n'));

    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const options = ['--strict', '--module', 'nodenext', '--target', 'es2023', '--skipLibCheck', '--noEmit'];
    expect(run(process.execPath, [tsc, ...options, 'consumer.mts'], project)).toBe('');
  });

  /** Unpacks a tarball as npm does and links what its manifest asks for; what no manifest names is not there. */
  function install(lib: string): void {
    const tarball = tarballs.get(`@millrace/${lib}`);
    if (!tarball) throw new Error(`npm pack made no tarball of ${lib}`);
    const target = join(project, 'node_modules/@millrace', lib);
    mkdirSync(target, { recursive: true });
    run('tar', ['-xzf', join(project, tarball.filename), '-C', target, '--strip-components=1'], project);
    const manifest = JSON.parse(readFileSync(join(target, 'package.json'), 'utf8')) as Manifest;
    for (const name of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) {
      const link = join(project, 'node_modules', name);
      if (name.startsWith('@millrace/') || existsSync(link)) continue;
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(join(root, 'node_modules', name), link);
    }
  }
});

/** npm 11 and older print an array; newer ones an object keyed by package. */
function tarballsIn(json: string): Tarball[] {
  return Object.values(JSON.parse(json) as Tarball[] | Record<string, Tarball>);
}

function run(command: string, args: string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}
