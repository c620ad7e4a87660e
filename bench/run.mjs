#!/usr/bin/env node
/** One command for every benchmark: `npm run bench -- <suite> [options]`. Human text on stderr, results on stdout. */
import { Argument, Command, InvalidArgumentError, Option } from 'commander';

const suites = {
  messages: () => import('./messages/suite.mjs'),
  memory: () => import('./memory/suite.mjs'),
  'event-store': () => import('./event-store/suite.mjs'),
  sagas: () => import('./sagas/suite.mjs'),
};

const peers = {
  messages: ['loop', 'bullmq', 'nest-redis'],
  'event-store': ['emmett-postgresql'],
  sagas: ['restate', 'dbos'],
};

const program = new Command('npm run bench --')
  .description('Measures Millrace against hand-written code, in turn, in one run.')
  .addArgument(new Argument('<suite>', 'what to measure').choices(Object.keys(suites)))
  .option('--json', 'one JSON line per case on stdout', false)
  .option('--messages <n>', 'messages of one round (60000), or in all for memory (2000000)', positive)
  .option('--events <n>', 'event-store: events that are replayed (1000000)', positive)
  .option('--growth', 'event-store: append and load times by events stored, ten times as many up to --events', false)
  .option(
    '--waiting [n]',
    'sagas: memory and times beside so many waiting sagas, ten times as many up to n (1000000)',
    positive,
  )
  .option('--figure <file>', 'event-store, sagas: where the plot of --growth or --waiting is written (SVG)')
  .option('--sagas <n>', 'sagas: sagas of one round (20000)', positive)
  .option('--in-flight <n>', 'sagas: how many at a time (500)', positive)
  .option('--only <words>', 'event-store, sagas: the cases with these words in their name')
  .addOption(
    new Option('--against <peer>', 'what messages (loop), appends or local steps are compared with').choices(
      Object.values(peers).flat(),
    ),
  )
  .option('--latency', 'messages: and latency while both sides get half of what the slower one can do', false)
  .option('--rounds <n>', 'rounds of each side (A B A B ...)', positive, 4)
  .option('--fsync <policy>', 'appendfsync of the private Redis: everysec, always, or none for no AOF', 'everysec')
  .configureOutput({ outputError: (text, write) => write(text) })
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));

program.parse();
const [suite] = program.args;
const options = program.opts();
if (options.against && !peers[suite]?.includes(options.against)) {
  const own = peers[suite] ? `, only with ${peers[suite].join(', ')}` : '';
  program.error(`${suite} cannot be compared with ${options.against}${own}`);
}
if (options.waiting === true) options.waiting = 1_000_000;
const { run } = await suites[suite]();
await run(options);

function positive(text) {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('a positive integer is needed');
  return number;
}
