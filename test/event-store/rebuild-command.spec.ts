import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Projection, ProjectionControl, ProjectionRunner, Projects, ReadView } from '@millrace/event-store';
import type { View } from '@millrace/event-store';
import { Event } from '@millrace/messages';
import { builtCommand, commandOf } from '../support/program-of.js';
import { onTestFinished, redisUrl } from '../support/redis.js';
import { redisSite } from '../support/site.js';

@Event('work.counted', { key: 'key' })
class Counted {
  constructor(readonly key: string) {}
}

@Projection('counts')
class Counts {
  @Projects(Counted)
  async counted({ key }: Counted, view: View<number>): Promise<void> {
    await view.update(key, (count = 0) => count + 1);
  }
}

const run = promisify(execFile);

describe('millrace-rebuild', () => {
  it('builds a projection anew, tells how far it is, goes back and cleans up', async () => {
    const site = await redisSite({ partitions: 2 });
    await site.broker.declare();
    const runner = new ProjectionRunner(site.broker, Counts, new Counts());
    onTestFinished(() => runner.stop());
    runner.start();
    for (const key of ['a', 'b', 'c', 'a']) await site.publisher.publish(new Counted(key));
    const control = new ProjectionControl(site.broker, { projection: 'counts', version: 1 });
    await control.waitFor();
    const start = async (program: string, ...words: string[]) => {
      const at = ['--context', 'work', '--redis', redisUrl(), '--namespace', site.namespace];
      const { stdout } = await run(process.execPath, [program, ...words, ...at]);
      return stdout;
    };
    const command = (...words: string[]) => start(commandOf('event-store', 'millrace-rebuild'), ...words);
    const said = await start(builtCommand('event-store', 'millrace-rebuild'), 'counts');
    expect(said).toMatch(/^counts\.v1\.r2 {2}\d\/\d {2}\d\/\d$/m);
    expect(said).toMatch(/^counts\.v1\.r2 serves now$/m);
    const view = new ReadView<number>(site.broker, Counts);
    expect([await view.get('a'), view.name]).toEqual([2, 'counts.v1.r2']);
    expect(await command('counts', '--status')).toBe('serving counts.v1.r2\nbefore counts.v1\n');
    expect(await command('counts', '--rollback')).toBe('counts.v1 serves again\n');
    expect(await command('counts', '--remove-old')).toBe('removed: counts.v1.r2\n');
    expect(await command('counts', '--cancel')).toBe('nothing is being built\n');
    await expect(command('unknown')).rejects.toMatchObject({
      code: 1,
      stderr: 'projection unknown has never run in context work\n',
    });
    await expect(command()).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('usage:') as string });
  }, 120_000);
});
