#!/usr/bin/env node
/** One command for every benchmark: `npm run bench -- <suite> [options]`. Human text on stderr, results on stdout. */
import { Argument, Command, InvalidArgumentError, Option } from 'commander';

const suites = {
  messages: () => import('./messages/suite.mjs'),
  memory: () => import('./memory/suite.mjs'),
  'event-store': () => import('./event-store/suite.mjs'),
  sagas: () => import('./sagas/suite.mjs'),
};

const program = new Command('npm run bench --')
  .description('Measures Millrace against hand-written code, in turn, in one run.')
  .addArgument(new Argument('<suite>', 'what to measure').choices(Object.keys(suites)))
  .option('--json', 'one JSON line per case on stdout', false)
  .option('--messages <n>', 'messages of one round (60000), or in all for memory (2000000)', positive)
  .option('--events <n>', 'event-store: events that are replayed (1000000)', positive)
  .option('--growth', 'event-store: append and load times by events stored, ten times as many up to --events', false)
  .option('--figure <file>', 'event-store: where the plot of --growth is written (SVG)')
  .option('--sagas <n>', 'sagas: sagas of one round (20000)', positive)
  .option('--in-flight <n>', 'sagas: how many at a time (500)', positive)
  .option('--only <words>', 'event-store, sagas: the cases with these words in their name')
  .addOption(
    new Option('--against <peer>', 'what messages (loop) or appends are compared with').choices([
      ...['loop', 'bullmq', 'nest-redis', 'emmett-postgresql'],
    ]),
  )
  .option('--latency', 'messages: and latency while both sides get half of what the slower one can do', false)
  .option('--rounds <n>', 'rounds of each side (A B A B ...)', positive, 4)
  .option('--fsync <policy>', 'appendfsync of the private Redis: everysec, always, or none for no AOF', 'everysec')
  .configureOutput({ outputError: (text, write) => write(text) })
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));

program.parse();
const { run } = await suites[program.args[0]]();
await run(program.opts());

function positive(text) {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('a positive integer is needed');
  return number;
}
