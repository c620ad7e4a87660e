import type { SubscriberSettings } from '@millrace/broker';
import { Event } from '@millrace/messages';
import { IsString } from 'class-validator';
import { programOf } from '../support/program-of.js';
import { redisUrl } from '../support/redis.js';
import { redisSite } from '../support/site.js';
import type { Site } from '../support/site.js';
import { Worker } from '../support/worker.js';

const PROGRAM = programOf('saga-versions-process');

@Event('work.ordered', { key: 'id' })
class Ordered {
  @IsString() readonly id: string;

  constructor(id: string) {
    this.id = id;
  }
}

@Event('work.paid', { key: 'id' })
class Paid {
  @IsString() readonly id: string;

  constructor(id: string) {
    this.id = id;
  }
}

async function start(site: Site, ...versions: number[]): Promise<Worker> {
  const settings = { versions, leaseTtlMs: 1000 } as SubscriberSettings;
  const worker = Worker.start(site, settings, redisUrl(), PROGRAM);
  await worker.said('ready');
  return worker;
}

it.each(['SIGTERM', 'SIGKILL'] as const)(
  'an instance goes on in its version when its process is replaced by one with a newer version, too, after %s',
  async (signal) => {
    const site = await redisSite();
    const old = await start(site, 1);
    await site.publisher.publish(new Ordered('a'));
    await old.said('a v1 reserve');
    const next = await start(site, 1, 2);
    old.signal(signal);
    await old.ended;
    await site.publisher.publish(new Paid('a'));
    await site.publisher.publish(new Ordered('b'));
    await site.publisher.publish(new Paid('b'));

    await next.said('a v1 ship');
    await next.said('b v2 ship');
    expect(next.lines).toEqual(expect.arrayContaining(['b v2 reserve', 'b v2 pack']));
    expect(next.lines).not.toContain('a v1 reserve');
  },
);
