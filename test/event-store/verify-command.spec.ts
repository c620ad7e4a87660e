import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Broker, FeedArchive, FileArchiveStore } from '@millrace/broker';
import { EventStore } from '@millrace/event-store';
import { Event } from '@millrace/messages';
import { builtCommand, commandOf } from '../support/program-of.js';
import { freshNamespace, onTestFinished, redisUrl } from '../support/redis.js';
import { redisStore } from '../support/store.js';

@Event('vault.filled')
class Filled {
  constructor(readonly n: number) {}
}

const partition = { context: 'vault', index: 0 };

describe('millrace-verify', () => {
  it('ends with 0 when all is whole, with 1 when a stream is broken, with 2 when it cannot say', async () => {
    const archive = await mkdtemp(join(tmpdir(), 'millrace-verify-'));
    onTestFinished(() => rm(archive, { recursive: true }));
    const namespace = freshNamespace();
    const store = await redisStore(namespace);
    const broker = new Broker(store, { context: 'vault', partitions: 1 });
    await broker.declare();
    const events = new EventStore(broker, [Filled], { chain: true });
    for (let n = 1; n <= 3; n++) await events.append('safe-1', [new Filled(n)]);
    await new FeedArchive(new FileArchiveStore(archive)).keep(await store.readFeed(partition, 0, 2), partition);
    await store.trim({ partition, log: 'feed' }, { streams: true, upTo: '0-2', limit: 100 });
    const start = (program: string, ...words: string[]) => {
      const at = ['--redis', redisUrl(), '--namespace', namespace, ...words];
      return spawnSync(process.execPath, [program, ...at], { encoding: 'utf8' });
    };
    const verify = (...words: string[]) => start(commandOf('event-store', 'millrace-verify'), ...words);

    const built = builtCommand('event-store', 'millrace-verify');
    expect(start(built, '--context', 'vault', '--archive', archive)).toMatchObject({
      status: 0,
      stdout: 'vault: 1 streams intact, 0 unchained, 0 broken\n',
    });
    const found = verify('--context', 'vault');
    expect(found.status).toBe(1);
    expect(found.stdout).toMatch(
      /^stream safe-1 in vault\/0: broken at version 1, .* or this process lacks the archive$/m,
    );
    expect(verify('--context', 'attic')).toMatchObject({
      status: 2,
      stderr: "there is no context 'attic' in this namespace\n",
    });
  }, 120_000);
});
