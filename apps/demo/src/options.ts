import { randomInt } from 'node:crypto';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';

export interface DemoOptions {
  /** How many orders are placed. */
  readonly orders: number;
  /** Decides the mix of orders and who is killed. */
  readonly seed: number;
  /** Whether services are killed; a number: at most so often. */
  readonly kill: boolean | number;
  readonly json: boolean;
  readonly keep: boolean;
  readonly inMemory: boolean;
  /** The shop runs already, on this host. */
  readonly running?: string;
}

/** Where usage and its errors are written. */
export interface UsageOutput {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

const MOST_ORDERS = 100_000;
const MOST_KILLS = 100_000;
const LAST_SEED = 2 ** 32 - 1;

/**
 * Reads the command line.
 *
 * @param args without `node` and the script
 * @returns the options, or the exit code when usage was asked for (0) or is needed (2) and has been written
 */
export function readOptions(args: readonly string[], output: UsageOutput): DemoOptions | 0 | 2 {
  const command = describe().exitOverride().configureOutput({ writeOut: output.out, writeErr: output.err });
  try {
    command.parse([...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    throw error;
  }
  const { seed = randomInt(LAST_SEED), running, ...rest } = command.opts();
  const host: string | undefined = running === true ? 'localhost' : running;
  return {
    kill: false,
    json: false,
    keep: false,
    inMemory: false,
    seed,
    ...rest,
    ...(host && { running: host }),
  } as DemoOptions;
}

function describe(): Command {
  return new Command('npm run demo --')
    .description(
      'Starts a shop of four services on a Redis, places orders, and checks from the ledgers that every order was ' +
        'done completely or undone completely. Exit code 0 only then.',
    )
    .option('--orders <n>', `how many orders, 1 to ${MOST_ORDERS}`, whole(1, MOST_ORDERS), 60)
    .option('--seed <s>', 'decides the mix of orders and who is killed (default: random, printed)', whole(0, LAST_SEED))
    .option(
      '--kill [times]',
      'kill a random service with SIGKILL every second, and start it again; at most so many times',
      whole(1, MOST_KILLS),
    )
    .option('--json', 'the last line of standard output is the result as JSON; the rest goes to standard error')
    .addOption(new Option('--keep', 'leave everything running until Ctrl-C, and print the URLs').conflicts('running'))
    .addOption(
      new Option('--in-memory', 'everything in this one process and no Redis: nothing survives it').conflicts('kill'),
    )
    .addOption(
      new Option('--running [host]', 'use the shop that runs already (docker compose up), ports 3001 to 3004')
        .conflicts(['kill', 'inMemory'])
        .argParser(hostName),
    )
    .helpOption('--help', 'show this')
    .showHelpAfterError(true);
}

function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = /^\d+$/.test(text) ? Number(text) : NaN;
    if (number >= least && number <= most) return number;
    throw new InvalidArgumentError(`Write a whole number from ${least} to ${most}.`);
  };
}

function hostName(text: string): string {
  if (/^[\w.-]+$/.test(text)) return text;
  throw new InvalidArgumentError('Write the name or address of a host.');
}
