#!/usr/bin/env node
import 'reflect-metadata';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { DynamicModule, Type } from '@nestjs/common';
import { ConfigurationError, MillraceError } from '../core/errors.js';
import { topologyMermaid } from '../core/topology/topology-mermaid.js';
import { topologyDrawings, topologyText } from '../core/topology/topology-text.js';
import { asyncApi } from './asyncapi.module.js';
import { STORE_OPTIONS } from './command-store.js';
import { runExport, runImport } from './command-transfer.js';
import { describe } from './describe.js';
import { openOffline } from './offline.js';

const USAGE = `millrace asyncapi <file>[#<export>]      the AsyncAPI document of an application, as JSON
millrace describe <file>[#<export>]      who publishes, what passes which transforms, who consumes
    --mermaid                            as a Mermaid flowchart
    --sagas                              its sagas instead, each as a Mermaid state diagram
    --json                               as data
millrace export --context <context>      its events with their streams, tags and categories, as NDJSON
    --file <file>                        into a file; one that broke off goes on
millrace import                          puts an export into a store without these events; again goes on
    --file <file>                        from a file, not from standard input

--redis <url>       of export and import; default $REDIS_URL or redis://127.0.0.1:6379
--namespace <name>  default millrace
--archive <folder>  of export: where a FileArchiveStore keeps events that are no longer in Redis

<file>    of asyncapi and describe: the built module, e.g. dist/app.module.js
<export>  a module, or a function that answers with one; default AppModule, also e.g. OrderModule.forRoot

asyncapi and describe connect and consume nothing: providers are made, their hooks do not run.`;

type Look = (app: Awaited<ReturnType<typeof openOffline>>) => Promise<string> | string;
type AnyModule = Type<unknown> | DynamicModule;

const OPTIONS = {
  mermaid: { type: 'boolean' },
  sagas: { type: 'boolean' },
  json: { type: 'boolean' },
  context: { type: 'string' },
  file: { type: 'string' },
  ...STORE_OPTIONS,
  help: { type: 'boolean' },
} as const;

async function main(words: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({ args: [...words], options: OPTIONS, allowPositionals: true });
  const [command, where, ...rest] = positionals;
  if (values.help) return console.log(USAGE);
  const target = { redis: values.redis, namespace: values.namespace, file: values.file, archive: values.archive };
  if (command === 'export' && where === undefined && values.context) return runExport(target, values.context);
  if (command === 'import' && where === undefined) return runImport(target);
  const look = lookOf(command, values);
  if (!look || where === undefined || rest.length > 0) throw new ConfigurationError(`usage:\n${USAGE}`);
  const app = await openOffline(await moduleAt(where));
  try {
    process.stdout.write(`${await look(app)}\n`);
  } finally {
    await app.close();
  }
}

function lookOf(
  command: string | undefined,
  as: { mermaid?: boolean; json?: boolean; sagas?: boolean },
): Look | undefined {
  if (command === 'asyncapi') return async (app) => JSON.stringify(await asyncApi(app), null, 2);
  if (command !== 'describe') return undefined;
  if (as.sagas) return (app) => topologyDrawings(describe(app));
  if (as.mermaid) return (app) => topologyMermaid(describe(app));
  if (as.json) return (app) => JSON.stringify(describe(app), withoutClasses, 2);
  return (app) => describe(app).map(topologyText).join('\n\n');
}

function withoutClasses(key: string, value: unknown): unknown {
  if (key === 'contract') return undefined;
  return typeof value === 'function' ? value.name : value;
}

async function moduleAt(where: string): Promise<AnyModule> {
  const [file, path = 'AppModule'] = where.split('#') as [string, string?];
  const { href } = pathToFileURL(resolve(file));
  const exports = (await import(href).catch((error: { code?: unknown; url?: unknown }) => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND' || error.url !== href) throw error;
    throw new ConfigurationError(`there is no ${file}: build the application first, and name the built file`);
  })) as Record<string, unknown>;
  let owner: unknown;
  let found: unknown = exports;
  for (const name of path.split('.')) {
    owner = found;
    found = (found as Record<string, unknown> | undefined)?.[name];
  }
  if (found === undefined) {
    throw new ConfigurationError(
      `${file} exports no '${path}': it has ${Object.keys(exports).join(', ') || 'nothing'}`,
    );
  }
  // A class is a module; any other function makes one.
  if (typeof found !== 'function' || /^class\b/.test(Function.prototype.toString.call(found)))
    return found as AnyModule;
  return (await (found as (this: unknown, options: object) => unknown).call(owner, {})) as AnyModule;
}

main(process.argv.slice(2)).then(
  // What a factory has opened must not keep the command from ending.
  () => process.exit(0),
  (error: unknown) => {
    console.error(error instanceof MillraceError ? error.message : error);
    process.exit(1);
  },
);
