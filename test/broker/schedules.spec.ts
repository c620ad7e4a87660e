import { Broker, Publisher, Scheduler, Subscriber, Subscriptions } from '@millrace/broker';
import { Event } from '@millrace/messages';
import type { Envelope } from '@millrace/messages';
import { eventually, onTestFinished } from '../support/redis.js';
import { SITES } from '../support/site.js';
import type { Site } from '../support/site.js';

@Event('work.rung')
class Rung {
  constructor(readonly what: string) {}
}

const NOON = Date.parse('2026-11-22T12:00:00Z');
const HOUR_MS = 3_600_000;

/** Two replicas that fire, on a clock that the test puts forward. */
async function replicas(site: Site) {
  const clock = { time: NOON, now: () => clock.time };
  const brokers = [0, 1].map(() => new Broker(site.store, { context: site.context, partitions: 2, clock }));
  for (const broker of brokers) {
    const subscriber = new Subscriber(broker, new Subscriptions(site.context), { timerLatencyMs: 10 });
    onTestFinished(() => subscriber.stop());
    await subscriber.start();
  }
  const [broker] = brokers;
  return {
    broker: broker!,
    scheduler: new Scheduler(broker!),
    put: (forwardTo: string): void => void (clock.time = Date.parse(forwardTo)),
    forward: (ms: number): void => void (clock.time += ms),
    async rung(): Promise<string[]> {
      const feeds = await Promise.all([0, 1].map((index) => site.store.readFeed({ context: 'work', index }, 0, 100)));
      const events = feeds.flat().map(({ fields }) => JSON.parse(fields[1]!) as Envelope);
      return events.map(({ data, time }) => `${(data as Rung).what} ${time}`).sort();
    },
  };
}

describe.each(SITES)('a recurring schedule on %s', (_name, open) => {
  it('makes up for what was missed as it says, with two replicas', async () => {
    const { scheduler, forward, rung } = await replicas(await open());
    for (const missed of ['once', 'skip', 'all'] as const) {
      await scheduler.schedule(new Rung(missed), { cron: '0 * * * *', id: missed, missed });
    }
    forward(3.5 * HOUR_MS);
    const next = new Date(NOON + 4 * HOUR_MS);
    await eventually(async () => {
      const { schedules } = await scheduler.list();
      expect(schedules.map(({ due }) => due)).toEqual([next, next, next]);
    });
    const whats = (await rung()).map((line) => line.split(' ')[0]);
    expect(whats).toEqual(['all', 'all', 'all', 'once']);
    // In time again, none is left out.
    forward(0.5 * HOUR_MS);
    await eventually(async () => expect(await rung()).toHaveLength(7));
  });

  it('follows the clocks of its zone', async () => {
    const { scheduler, put, rung } = await replicas(await open());
    await scheduler.schedule(new Rung('nine'), { cron: '0 9 * * *', id: 'nine', timeZone: 'Europe/Berlin' });
    expect((await scheduler.get('nine'))?.due).toEqual(new Date('2026-11-23T08:00:00Z'));
    put('2026-11-23T08:00:00Z');
    await eventually(async () => expect(await rung()).toEqual(['nine 2026-11-23T08:00:00.000Z']));
    // The clocks go forward in the night of the 28th of March.
    put('2027-03-27T09:00:00Z');
    const due = async (): Promise<Date | undefined> => (await scheduler.get('nine'))?.due;
    await eventually(async () => expect(await due()).toEqual(new Date('2027-03-28T07:00:00Z')));
  });

  it('is moved for one occurrence, and ends when it is cancelled', async () => {
    const { scheduler, put, rung } = await replicas(await open());
    await scheduler.schedule(new Rung('hourly'), { cron: '0 * * * *', id: 'hourly' });
    expect(await scheduler.move('hourly', new Date('2026-11-22T13:10:00Z'))).toBe(true);
    put('2026-11-22T13:10:00Z');
    await eventually(async () => expect(await rung()).toHaveLength(1));
    expect((await scheduler.get('hourly'))?.due).toEqual(new Date('2026-11-22T14:00:00Z'));
    expect(await scheduler.cancel('hourly')).toBe(true);
    expect(await scheduler.cancel('hourly')).toBe(false);
    expect((await scheduler.list()).schedules).toEqual([]);
  });

  it('is set, moved and cancelled with the commit of a handler, or not at all', async () => {
    const site = await open();
    const scheduler = new Scheduler(site.broker);
    const publisher = new Publisher(site.broker);
    await scheduler.schedule(new Rung('old'), { cron: '0 0 1 1 *', id: 'old' });
    const elsewhere = new Scheduler(new Broker(site.store, { context: site.context, partitions: site.partitions }));
    const seen: string[][] = [];
    await site.start(
      {
        'work.do': async (_data, { attempt }) => {
          await scheduler.schedule(new Rung('new'), { cron: '0 0 1 1 *', id: 'new' });
          await scheduler.cancel('old');
          await publisher.publish(new Rung('later'), { delayMs: 24 * HOUR_MS });
          seen.push((await elsewhere.list()).schedules.map(({ id }) => id));
          if (attempt === 1) throw new Error('not yet');
        },
      },
      { retry: { delayMs: 10 } },
    );
    await site.say('work.do', {});
    await eventually(async () => expect(await site.open()).toBe(0));
    expect(seen).toEqual([['old'], ['old']]);
    const { schedules } = await scheduler.list();
    const whats = schedules.map(({ message }) => (message.data as Rung).what);
    expect(whats.sort()).toEqual(['later', 'new']);
  });
});
