import { Command, Event } from '@millrace/messages';
import type { Envelope } from '@millrace/messages';
import { InMemoryPartitionStore } from '../in-memory/in-memory-partition-store.js';
import { Broker } from './broker.js';
import { ConfigurationError } from './errors.js';
import { firing } from './firing.js';
import { Publisher } from './publisher.js';
import { Scheduler } from './scheduler.js';
import { UnitOfWork } from './unit-of-work.js';

@Command('billing.remind')
class Remind {
  constructor(readonly order: string) {}
}

@Event('shop.closed')
class Closed {}

@Event('billing.paid')
class Paid {}

const NOON = Date.parse('2026-11-22T12:00:00Z');

function shop(partitions = 4) {
  const clock = { time: NOON, now: () => clock.time };
  const store = new InMemoryPartitionStore({ clock });
  const broker = new Broker(store, { context: 'shop', partitions, clock, validate: false });
  const everywhere = (context: string) => Array.from({ length: 4 }, (_, index) => ({ context, index }));
  return {
    broker,
    store,
    clock,
    scheduler: new Scheduler(broker),
    publisher: new Publisher(broker),
    /** Goes forward in time and fires what is due, as two processes that see the same. */
    async forward(ms: number): Promise<void> {
      clock.time += ms;
      const { due } = await store.dueTimers(everywhere('shop'), clock.now(), 100);
      for (const timer of [...due, ...due]) await store.commit(firing(timer, clock.now()));
    },
    async feed(): Promise<Envelope[]> {
      const feeds = await Promise.all(everywhere('shop').map((partition) => store.readFeed(partition, 0, 100)));
      return feeds.flat().map(({ fields }) => JSON.parse(fields[1]!) as Envelope);
    },
    async inbox(context = 'billing'): Promise<Envelope[]> {
      const reader = store.openReader();
      const sources = everywhere(context).map((partition) => ({ partition, log: 'in' as const }));
      const entries = await reader.readGroup('observer', sources, 100, 0);
      return entries.map(({ fields }) => JSON.parse(fields[1]!) as Envelope);
    },
  };
}

describe('a scheduled command', () => {
  it('reaches the inbox of its context when it is due, once', async () => {
    const { scheduler, forward, inbox } = shop();
    const { id, due } = await scheduler.schedule(new Remind('4711'), { delayMs: 5_000, key: '4711' });
    expect(due).toEqual(new Date(NOON + 5_000));
    expect(await scheduler.get(id)).toMatchObject({
      id,
      due,
      message: { type: 'billing.remind' },
      recurrence: undefined,
    });
    await forward(4_999);
    expect(await inbox()).toEqual([]);
    await forward(1);
    await forward(1);
    expect(await inbox()).toMatchObject([{ type: 'billing.remind', data: { order: '4711' }, partitionkey: '4711' }]);
    expect(await scheduler.get(id)).toBeUndefined();
  });

  it('goes out at once when its time is past', async () => {
    const { scheduler, forward, inbox } = shop();
    await scheduler.schedule(new Remind('4711'), { at: new Date(NOON - 1) });
    await forward(0);
    expect(await inbox()).toHaveLength(1);
  });

  it('has no id of those that stand in code', async () => {
    const { scheduler } = shop();
    const refused = scheduler.schedule(new Remind('4711'), { delayMs: 1, id: 'every:nightly' });
    await expect(refused).rejects.toThrow(ConfigurationError);
    await expect(refused).rejects.toThrow(
      "schedule id 'every:nightly' begins with 'every:', as those of @Every do: choose another, such as 'nightly'",
    );
    expect((await scheduler.list()).schedules).toEqual([]);
  });

  it('is replaced by another one under its id', async () => {
    const { scheduler, forward, inbox } = shop();
    await scheduler.schedule(new Remind('first'), { delayMs: 10, id: 'reminder' });
    await scheduler.schedule(new Remind('second'), { delayMs: 20, id: 'reminder' });
    await forward(10);
    expect(await inbox()).toEqual([]);
    await forward(10);
    expect(await inbox()).toMatchObject([{ data: { order: 'second' } }]);
  });

  it('does not go out when it was cancelled, and cannot be cancelled any more when it has', async () => {
    const { scheduler, forward, inbox } = shop();
    await scheduler.schedule(new Remind('4711'), { delayMs: 10, id: 'reminder' });
    expect(await scheduler.cancel('reminder')).toBe(true);
    expect(await scheduler.cancel('reminder')).toBe(false);
    await forward(10);
    expect(await inbox()).toEqual([]);
    await scheduler.schedule(new Remind('4712'), { delayMs: 10, id: 'reminder' });
    await forward(10);
    expect(await scheduler.cancel('reminder')).toBe(false);
    expect(await inbox()).toHaveLength(1);
  });

  it('goes out at the time it was moved to', async () => {
    const { scheduler, forward, inbox } = shop();
    await scheduler.schedule(new Remind('4711'), { delayMs: 10, id: 'reminder' });
    expect(await scheduler.move('reminder', new Date(NOON + 50))).toBe(true);
    expect(await scheduler.move('nothing', new Date(NOON + 50))).toBe(false);
    await forward(49);
    expect(await inbox()).toEqual([]);
    await forward(1);
    expect(await inbox()).toHaveLength(1);
  });
});

describe('a scheduled event', () => {
  it('is appended to the feed when it is due', async () => {
    const { scheduler, forward, feed } = shop();
    await scheduler.schedule(new Closed(), { delayMs: 10, id: 'closing', key: 'k' });
    expect(await feed()).toEqual([]);
    await forward(10);
    expect(await feed()).toMatchObject([{ type: 'shop.closed', partitionkey: 'k' }]);
  });

  it('belongs to the context that schedules it', async () => {
    await expect(shop().scheduler.schedule(new Paid(), { delayMs: 1 })).rejects.toThrow(
      /publishes its own events only/,
    );
  });
});

describe('a recurring schedule', () => {
  it('goes out at each occurrence, with an id that tells which one it is, until it is cancelled', async () => {
    const { scheduler, forward, inbox } = shop();
    const { due } = await scheduler.schedule(new Remind('all'), { cron: '*/5 * * * *', id: 'reminders' });
    expect(due).toEqual(new Date(NOON + 300_000));
    for (let n = 0; n < 3; n++) await forward(300_000);
    expect(await inbox()).toMatchObject(
      [1, 2, 3].map((n) => ({
        id: `schedule:reminders:${NOON + n * 300_000}`,
        time: new Date(NOON + n * 300_000).toISOString(),
        data: { order: 'all' },
      })),
    );
    const next = await scheduler.get('reminders');
    expect(next).toMatchObject({
      due: new Date(NOON + 1_200_000),
      recurrence: { cron: '*/5 * * * *', timeZone: 'UTC' },
    });
    expect(await scheduler.cancel('reminders')).toBe(true);
    await forward(300_000);
    expect(await inbox()).toEqual([]);
  });

  it('is moved for one occurrence', async () => {
    const { scheduler, forward, inbox } = shop();
    await scheduler.schedule(new Remind('all'), { cron: '*/5 * * * *', id: 'reminders' });
    await scheduler.move('reminders', new Date(NOON + 360_000));
    await forward(300_000);
    expect(await inbox()).toEqual([]);
    await forward(60_000);
    expect(await inbox()).toHaveLength(1);
    expect((await scheduler.get('reminders'))?.due).toEqual(new Date(NOON + 600_000));
  });

  it('makes up for what was missed as it says', async () => {
    const { scheduler, forward, inbox } = shop();
    for (const missed of ['once', 'skip', 'all'] as const) {
      await scheduler.schedule(new Remind(missed), { cron: '0 * * * *', id: missed, missed });
    }
    await forward(3.5 * 3_600_000);
    const orders = (await inbox()).map(({ data }) => (data as Remind).order);
    expect(orders.sort()).toEqual(['all', 'all', 'all', 'once']);
  });

  it('is refused when its expression or its time zone means nothing', async () => {
    const { scheduler } = shop();
    await expect(scheduler.schedule(new Closed(), { cron: '* * *' })).rejects.toThrow(ConfigurationError);
    await expect(scheduler.schedule(new Closed(), { cron: '* * * * *', timeZone: 'X' })).rejects.toThrow(/'X'/);
    expect((await scheduler.list()).schedules).toEqual([]);
  });
});

describe('times that mean nothing', () => {
  it.each([
    [{ delayMs: -1 }, /delayMs: -1/],
    [{ delayMs: NaN }, /delayMs: NaN/],
    [{ at: new Date('no') }, /Invalid Date/],
    [{ at: 'tomorrow' as unknown as Date }, /tomorrow is no valid Date/],
    [{} as { delayMs: number }, /needs one of delayMs, at and cron/],
    [{ delayMs: 1, at: new Date() }, /both given/],
  ])('are refused: %p', async (options, message) => {
    await expect(shop().scheduler.schedule(new Closed(), options)).rejects.toThrow(message);
  });
});

describe('schedules', () => {
  it('are listed by prefix, page by page', async () => {
    const { scheduler, store, broker } = shop();
    for (let n = 0; n < 30; n++) await scheduler.schedule(new Remind(`${n}`), { delayMs: n, id: `reminder:${n}` });
    await scheduler.schedule(new Closed(), { delayMs: 1, id: 'closing' });
    const timer = { kind: 'timer', id: 'saga.x', due: 1, message: '{}' } as const;
    await store.commit({ partition: broker.partitionFor('k'), guards: [], writes: [timer] });
    const ids: string[] = [];
    let cursor: string | undefined;
    let pages = 0;
    do {
      const page = await scheduler.list({ prefix: 'reminder:', limit: 4, ...(cursor === undefined ? {} : { cursor }) });
      ids.push(...page.schedules.map(({ id }) => id));
      cursor = page.cursor;
      pages++;
    } while (cursor !== undefined);
    expect(ids.sort()).toEqual(Array.from({ length: 30 }, (_, n) => `reminder:${n}`).sort());
    expect(pages).toBeGreaterThan(6);
    expect((await scheduler.list()).schedules).toHaveLength(31);
  });
});

describe('inside a handler', () => {
  it('what is scheduled, cancelled and moved is part of its commit', async () => {
    const { broker, scheduler } = shop();
    await scheduler.schedule(new Closed(), { delayMs: 10, id: 'to-cancel' });
    await scheduler.schedule(new Closed(), { delayMs: 10, id: 'to-move' });
    const unit = new UnitOfWork(undefined, broker);
    const { id } = await unit.run(() => scheduler.schedule(new Remind('4711'), { delayMs: 10 }));
    expect(await unit.run(() => scheduler.cancel('to-cancel'))).toBe(true);
    expect(await unit.run(() => scheduler.move('to-move', new Date(NOON + 99)))).toBe(true);
    expect((await scheduler.list()).schedules).toHaveLength(2);
    await broker.commit(await unit.toCommit(broker.partitionFor('home')));
    const { schedules } = await scheduler.list();
    expect(schedules.map((each) => [each.id, each.due.getTime() - NOON]).sort()).toEqual(
      [
        [id, 10],
        ['to-move', 99],
      ].sort(),
    );
  });

  it('a commit that comes too late to cancel is refused', async () => {
    const { broker, scheduler, forward, feed } = shop();
    await scheduler.schedule(new Closed(), { delayMs: 10, id: 'closing' });
    const unit = new UnitOfWork(undefined, broker);
    expect(await unit.run(() => scheduler.cancel('closing'))).toBe(true);
    await forward(10);
    expect(await feed()).toHaveLength(1);
    const result = await broker.commit(await unit.toCommit(broker.partitionFor('home')));
    expect(result).toEqual({ status: 'refused', guard: 'timer', found: 'unset' });
  });

  it('a delayed message is kept where the handler writes, so that it fits into one Cluster slot', async () => {
    const { broker, publisher, scheduler } = shop();
    for (let index = 0; index < 4; index++) {
      const home = { context: 'shop', index };
      const unit = new UnitOfWork(undefined, broker, home);
      await unit.run(async () => {
        await publisher.send(new Remind('1'), { delayMs: 10, key: 'k' });
        await publisher.publish(new Closed(), { at: new Date(NOON + 10), key: 'k' });
        await scheduler.schedule(new Closed(), { delayMs: 10 });
      });
      const { writes } = await unit.toCommit(home);
      expect(writes.map((write) => write.kind === 'timer' && write.partition)).toEqual([home, home, home]);
    }
  });
});

describe('a delayed message', () => {
  it('goes out when it is due, and is known to the scheduler until then', async () => {
    const { publisher, scheduler, forward, inbox, feed } = shop();
    const sent = await publisher.send(new Remind('4711'), { delayMs: 10 });
    const moved = await publisher.send(new Remind('4712'), { delayMs: 10 });
    const published = await publisher.publish(new Closed(), { at: new Date(NOON + 10) });
    expect(await scheduler.cancel(sent.scheduleId!)).toBe(true);
    expect(await scheduler.move(moved.scheduleId!, new Date(NOON + 20))).toBe(true);
    await forward(10);
    expect([await inbox(), await feed()]).toMatchObject([[], [{ id: published.id }]]);
    await forward(10);
    expect(await inbox()).toMatchObject([{ id: moved.id }]);
  });

  it('is written once per id', async () => {
    const { publisher, forward, inbox } = shop();
    const send = () => publisher.send(new Remind('4711'), { delayMs: 10, id: 'reminder-4711' });
    expect(await send()).toMatchObject({ duplicate: false, scheduleId: expect.any(String) });
    expect(await send()).toEqual({ id: 'reminder-4711', duplicate: true });
    await forward(10);
    expect(await inbox()).toHaveLength(1);
  });
});
