#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { Broker, ConfigurationError, MillraceError, RedisPartitionStore } from '@millrace/broker';
import { versionOf } from '../core/build-record.js';
import type { BuildRecord } from '../core/build-record.js';
import { ProjectionBuilds } from '../core/projection-builds.js';
import { ProjectionControl } from '../core/projection-control.js';
import { showProgress } from './show-progress.js';

const USAGE = `millrace-rebuild <projection> --context <context>    builds it anew beside the build that serves, and waits
    --status        which builds there are
    --rollback      lets the build that served before serve again
    --cancel        gives up the build that is under way
    --remove-old    removes the builds that do not serve
    --redis         address, default $REDIS_URL or redis://127.0.0.1:6379
    --namespace     default millrace

The services that run the projection do the work: at least one must be running. Ctrl-C ends the wait, not the build.`;

const OPTIONS = {
  context: { type: 'string' },
  status: { type: 'boolean' },
  rollback: { type: 'boolean' },
  cancel: { type: 'boolean' },
  'remove-old': { type: 'boolean' },
  redis: { type: 'string', default: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379' },
  namespace: { type: 'string', default: 'millrace' },
  help: { type: 'boolean' },
} as const;

async function main(words: string[]): Promise<void> {
  const { values, positionals } = parseArgs({ args: words, options: OPTIONS, allowPositionals: true });
  if (values.help) return console.log(USAGE);
  const [projection] = positionals;
  const { context } = values;
  if (projection === undefined || positionals.length > 1 || context === undefined) {
    throw new ConfigurationError(`usage:\n${USAGE}`);
  }
  const store = await RedisPartitionStore.connect({ url: values.redis, namespace: values.namespace });
  try {
    const { record } = await new ProjectionBuilds(new Broker(store, { context }), { projection, version: 1 }).read();
    // Asked for first: the number of partitions of a context that nobody has would be fixed by asking.
    if (!record) throw new ConfigurationError(`projection ${projection} has never run in context ${context}`);
    const partitions = await store.partitionsOf(context, 1);
    const version = versionOf(record.serving);
    const control = new ProjectionControl(new Broker(store, { context, partitions }), { projection, version });
    if (values.status) return console.log(describeBuilds(record));
    if (values.rollback) return console.log(`${await control.rollback()} serves again`);
    if (values.cancel) return console.log((await control.cancel()) ? 'given up' : 'nothing is being built');
    if (values['remove-old']) return console.log(`removed: ${(await control.removeOld()).join(', ') || 'nothing'}`);
    const build = await control.rebuild();
    await showProgress(control.progress());
    const { serving } = (await control.record())!;
    console.log(serving === build ? `${build} serves now` : `${build} was given up, ${serving} serves`);
  } finally {
    await store.close();
  }
}

function describeBuilds({ serving, building, previous, retired }: BuildRecord): string {
  const others = [building && `building ${building}`, previous && `before ${previous}`].filter(Boolean);
  return [`serving ${serving}`, ...others, ...retired.map((build) => `retired ${build}`)].join('\n');
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof MillraceError || error instanceof TypeError ? error.message : error);
  process.exitCode = 1;
});
