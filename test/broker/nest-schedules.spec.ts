import { Injectable } from '@nestjs/common';
import type { Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { BrokerModule, Every, Handles, Publisher, Scheduler } from '@millrace/broker';
import type { MessageContext } from '@millrace/broker';
import { Command, Reply } from '@millrace/messages';
import { eventually, freshNamespace, onTestFinished } from '../support/redis.js';
import { inRedis } from '../support/store.js';

@Reply('desk.done')
class Done {}

@Command('desk.tick')
class Tick extends Command<Done> {}

@Command('desk.tock')
class Tock extends Command<Done> {}

let ticks: string[] = [];
beforeEach(() => {
  ticks = [];
});

@Injectable()
@Every('0 0 1 1 *', () => new Tock(), { id: 'yearly', timeZone: 'Europe/Berlin' })
class Clock {
  @Every('* * * * * *', () => new Tick())
  @Handles(Tick)
  tick(_tick: Tick, { envelope }: MessageContext): Done {
    ticks.push(envelope.id);
    return new Done();
  }

  @Handles(Tock)
  tock(): Done {
    ticks.push('tock');
    return new Done();
  }
}

async function replica(namespace: string, ...providers: Type<unknown>[]) {
  const module = await Test.createTestingModule({
    imports: [BrokerModule.forRoot({ context: 'desk', ...inRedis(namespace), blockMs: 50 })],
    providers,
  }).compile();
  await module.init();
  onTestFinished(() => module.close());
  return module;
}

describe('@Every', () => {
  it('sends its message at each occurrence, once for all replicas', async () => {
    const namespace = freshNamespace();
    const replicas = [await replica(namespace, Clock), await replica(namespace, Clock)];
    await eventually(() => expect(ticks.length).toBeGreaterThanOrEqual(3));
    const scheduler = replicas[0]!.get(Scheduler);
    expect(await scheduler.cancel('every:desk.tick')).toBe(true);
    expect(new Set(ticks).size).toBe(ticks.length);
    for (const id of ticks) expect(id).toMatch(/^schedule:every:desk\.tick:\d+000$/);
    await scheduler.schedule(new Tock(), { cron: '@yearly', id: 'yearly' });
    await scheduler.schedule(new Tock(), { delayMs: 3_600_000, id: 'once' });
    const schedules = (await scheduler.list()).schedules.toSorted((a, b) => a.id.localeCompare(b.id));
    expect(schedules).toMatchObject([
      { id: 'every:yearly', declared: true, recurrence: { timeZone: 'Europe/Berlin' } },
      { id: 'once', declared: false, recurrence: undefined },
      { id: 'yearly', declared: false, recurrence: { cron: '@yearly', timeZone: 'UTC' } },
    ]);
  });

  it('is refused at start when its expression means nothing', async () => {
    @Every('every day', () => new Tick(), { id: 'wrong' })
    class Wrong {}
    await expect(replica(freshNamespace(), Clock, Wrong)).rejects.toThrow(
      /@Every on Wrong: 'every day' is no schedule/,
    );
  });

  it('is refused at start when two have the same id', async () => {
    @Every('@daily', () => new Tick())
    class Second {}
    await expect(replica(freshNamespace(), Clock, Second)).rejects.toThrow(
      /@Every on Clock and @Every on Second both declare the schedule 'every:desk.tick'/,
    );
  });
});

describe('in a Nest application', () => {
  it('a delayed command comes when it is due, until it is cancelled', async () => {
    const module = await replica(freshNamespace(), Clock);
    const [publisher, scheduler] = [module.get(Publisher), module.get(Scheduler)];
    const kept = await publisher.send(new Tock(), { delayMs: 200 });
    const cancelled = await publisher.send(new Tock(), { delayMs: 200 });
    expect(await scheduler.cancel(cancelled.scheduleId!)).toBe(true);
    await eventually(() => expect(ticks).toContain('tock'));
    expect(await scheduler.get(kept.scheduleId!)).toBeUndefined();
    expect(ticks.filter((tick) => tick === 'tock')).toHaveLength(1);
  });
});
