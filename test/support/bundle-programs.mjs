import { mkdtemp, readFile, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

const here = import.meta.dirname;

/** Left out: it takes its Nest, and what that loads when it is asked for, from `node_modules`, as a service does. */
const WHOLE_NEST = 'nest-process.mjs';

/** Packages that Nest and pg import when they are asked for; nobody asks for them here. */
const OPTIONAL = [
  '@grpc/*',
  '@nats-io/*',
  '@nestjs/platform-express',
  '@nestjs/websockets',
  'amqp-connection-manager',
  'amqplib',
  'kafkajs',
  'mqtt',
  'pg-native',
];

/**
 * Puts the programs that specs start and kill, the commands of the libraries, and all that they import as it was built,
 * into one file: each start then reads that, not some thousand files, and takes a fraction of the CPU.
 *
 * @returns the folder, which is the caller's to remove: a file for each program under the name it has here, and for each
 *   command under its own
 */
export async function bundlePrograms() {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-programs-'));
  const programs = new Map([
    ...(await processes()),
    ...(await commandsOf('broker')),
    ...(await commandsOf('event-store')),
  ]);
  const starts = [...programs].map(([name, file]) => `'${name}': () => import(${JSON.stringify(file)}),`);
  await build({
    stdin: { contents: `export const start = {\n${starts.join('\n')}\n};`, resolveDir: here },
    outfile: join(folder, 'programs.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    // Classes are known by their names.
    keepNames: true,
    external: OPTIONAL,
    // For what CommonJS packages require of Node itself.
    banner: {
      js: "import { createRequire as requireBy } from 'node:module'; const require = requireBy(import.meta.url);",
    },
    logLevel: 'warning',
  });
  for (const name of programs.keys()) {
    await writeFile(
      join(folder, `${name}.mjs`),
      `import { start } from './programs.mjs';\nawait start['${name}']();\n`,
    );
  }
  return folder;
}

async function processes() {
  const names = (await readdir(here)).filter((name) => name.endsWith('-process.mjs') && name !== WHOLE_NEST);
  return names.map((name) => [name.slice(0, -'.mjs'.length), join(here, name)]);
}

async function commandsOf(lib) {
  const folder = join(here, '../../libs', lib);
  const { bin } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  return Object.entries(bin).map(([name, file]) => [name, join(folder, file)]);
}
