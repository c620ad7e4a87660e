import { Scheduler } from '@millrace/broker';
import { Command } from '@millrace/messages';
import { eventually } from '../support/redis.js';
import { redisSite } from '../support/site.js';
import type { Site } from '../support/site.js';
import { done, Worker } from '../support/worker.js';

@Command('work.do')
class Do {
  readonly tellsId = true;

  constructor(readonly n: number) {}
}

type Done = { readonly n: number; readonly pid: number; readonly id?: string };

const doneBy = async (site: Site): Promise<readonly Done[]> => done(site);

describe('with three processes of a service', () => {
  it('each occurrence comes once, also when the one that fires is killed, again and again', async () => {
    const site = await redisSite();
    const scheduler = new Scheduler(site.broker);
    const workers = Array.from({ length: 3 }, () => Worker.start(site));
    await Promise.all(workers.map((worker) => worker.said('ready')));
    await scheduler.schedule(new Do(0), { cron: '* * * * * *', id: 'tick', missed: 'all' });
    const fired = new Set<number>();
    for (let left = 3; left > 0; left--) {
      // One process holds the only partition, so it fires and handles.
      const last = await eventually(async () => {
        const events = await doneBy(site);
        const { pid } = events.at(-1) ?? { pid: 0 };
        expect(fired.has(pid)).toBe(false);
        expect(events.filter((event) => event.pid === pid).length).toBeGreaterThanOrEqual(2);
        return pid;
      }, 20_000);
      fired.add(last);
      if (left > 1) workers.find(({ pid }) => pid === last)!.signal('SIGKILL');
    }
    expect(await scheduler.cancel('tick')).toBe(true);
    await eventually(async () => expect(await site.open()).toBe(0));
    const ids = (await doneBy(site)).map(({ id }) => id!);
    const [first] = ids.map((id) => Number(id.slice('schedule:tick:'.length)));
    expect(ids).toEqual(ids.map((_, n) => `schedule:tick:${first! + n * 1_000}`));
    expect(fired.size).toBe(3);
    expect(await site.deadLetters()).toEqual([]);
  }, 60_000);

  it('every delayed message comes once, and what a killed one had scheduled comes too', async () => {
    const site = await redisSite();
    const [first, ...others] = Array.from({ length: 3 }, () => Worker.start(site));
    await Promise.all([first!, ...others].map((worker) => worker.said('ready')));
    const sent = Array.from({ length: 300 }, (_, n) => site.publisher.send(new Do(n), { delayMs: 200 + n * 5 }));
    await Promise.all(sent);
    await eventually(async () => expect((await doneBy(site)).length).toBeGreaterThan(40));
    const { pid } = (await doneBy(site)).at(-1)!;
    [first!, ...others].find((worker) => worker.pid === pid)!.signal('SIGKILL');
    await eventually(async () => expect((await doneBy(site)).length).toBeGreaterThanOrEqual(300), 20_000);
    await eventually(async () => expect(await site.open()).toBe(0));
    const events = await doneBy(site);
    expect(events.map(({ n }) => n).sort((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, n) => n));
    // A third one has had the partition if the processes shared it anew meanwhile.
    expect(new Set(events.map((event) => event.pid)).size).toBeGreaterThanOrEqual(2);
  }, 60_000);

  it('what is cancelled while it becomes due is either cancelled or fired', async () => {
    const site = await redisSite();
    const scheduler = new Scheduler(site.broker);
    const workers = Array.from({ length: 3 }, () => Worker.start(site));
    await Promise.all(workers.map((worker) => worker.said('ready')));
    const numbers = Array.from({ length: 200 }, (_, n) => n);
    const due = Date.now() + 300;
    const at = (n: number): Date => new Date(due + n * 10);
    await Promise.all(numbers.map((n) => scheduler.schedule(new Do(n), { at: at(n), id: `t-${n}` })));
    await eventually(async () => expect((await doneBy(site)).length).toBeGreaterThan(10));
    // Even ones are cancelled, odd ones moved: all of that meets their firing.
    const later = new Date(Date.now() + 500);
    const changed = await Promise.all(
      numbers.map((n) => (n % 2 === 0 ? scheduler.cancel(`t-${n}`) : scheduler.move(`t-${n}`, later))),
    );
    const expected = numbers.filter((n) => n % 2 === 1 || !changed[n]);
    await eventually(async () => expect((await doneBy(site)).length).toBeGreaterThanOrEqual(expected.length));
    await eventually(async () => expect(await site.open()).toBe(0));
    expect((await doneBy(site)).map(({ n }) => n).sort((a, b) => a - b)).toEqual(expected);
    expect((await scheduler.list()).schedules).toEqual([]);
    expect(changed.filter((each) => each).length).toBeGreaterThan(0);
    expect(changed.filter((each) => !each).length).toBeGreaterThan(0);
  }, 60_000);
});
