import { mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

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
 * Puts the programs that specs start and kill, and all that they import as it was built, into one file: each start then
 * reads that, not some thousand files, and takes a fraction of the CPU.
 *
 * @returns the folder, which is the caller's to remove; the programs have the names in it that they have here
 */
export async function bundlePrograms() {
  const here = import.meta.dirname;
  const programs = (await readdir(here)).filter((name) => name.endsWith('-process.mjs') && name !== WHOLE_NEST);
  const folder = await mkdtemp(join(tmpdir(), 'millrace-programs-'));
  const starts = programs.map((name) => `'${name}': () => import('./${name}'),`);
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
  for (const name of programs) {
    await writeFile(join(folder, name), `import { start } from './programs.mjs';\nawait start['${name}']();\n`);
  }
  return folder;
}
