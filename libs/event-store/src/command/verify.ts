#!/usr/bin/env node
import { FeedArchive, FileArchiveStore, MillraceError, RedisPartitionStore, withArchive } from '@millrace/broker';
import { verifyBar } from './verify-bar.js';
import { verifyContext } from './verify-context.js';
import { USAGE, verifyCommandOf } from './verify-options.js';

async function main(words: readonly string[]): Promise<void> {
  const command = verifyCommandOf(words);
  if (!command) return console.log(USAGE);
  const { redis, namespace, archive, wanted } = command;
  const store = await RedisPartitionStore.connect({ url: redis, namespace });
  const bar = verifyBar();
  try {
    const whole = archive === undefined ? store : withArchive(store, new FeedArchive(new FileArchiveStore(archive)));
    const say = (line: string): void => console.log(line);
    const broken = await verifyContext(whole, { ...wanted, say, onProgress: bar.show });
    if (broken > 0) process.exitCode = 1;
  } finally {
    bar.stop();
    await store.close();
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const isForPeople = error instanceof MillraceError || error instanceof TypeError || isOfFile(error);
  console.error(isForPeople ? (error as Error).message : error);
  process.exitCode = 2;
});

function isOfFile(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
