import { Command } from '@millrace/messages';
import { InMemoryPartitionStore } from '../in-memory/in-memory-partition-store.js';
import { Broker } from './broker.js';
import { DeclaredSchedules } from './declared-schedules.js';
import type { ScheduleDeclaration } from './declared-schedules.js';
import { ConfigurationError } from './errors.js';
import { keepSchedules } from './keep-schedules.js';
import type { UndeclaredSchedules } from './keep-schedules.js';
import { Scheduler } from './scheduler.js';

@Command('shop.report')
class Report {
  constructor(readonly kind: string) {}
}

const NOON = Date.parse('2026-11-22T12:00:00Z');

const daily = (more: Partial<ScheduleDeclaration> = {}): ScheduleDeclaration => ({
  ...{ name: 'Reports', cron: '0 3 * * *', message: new Report('daily') },
  ...more,
});

function shop() {
  const clock = { time: NOON, now: () => clock.time };
  const store = new InMemoryPartitionStore({ clock });
  const open = () => new Broker(store, { context: 'shop', partitions: 4, clock, validate: false });
  const broker = open();
  const said: string[] = [];
  const say = (text: string): number => said.push(text);
  const logger = { debug: say, log: say, warn: say, error: say };
  return {
    ...{ clock, said, scheduler: new Scheduler(broker) },
    start: (declarations: readonly ScheduleDeclaration[], undeclared?: UndeclaredSchedules) => {
      const schedules = new DeclaredSchedules();
      for (const declaration of declarations) schedules.add(declaration);
      return keepSchedules(open(), schedules, undeclared, logger);
    },
  };
}

describe('a declared schedule', () => {
  it('is set under the type of its message, or its id', async () => {
    const { start, scheduler } = shop();
    await start([daily(), daily({ id: 'weekly', cron: '0 3 * * 1', timeZone: 'Europe/Berlin' })]);
    expect(await scheduler.get('every:shop.report')).toMatchObject({
      due: new Date('2026-11-23T03:00:00Z'),
      message: { type: 'shop.report', data: { kind: 'daily' } },
      recurrence: { cron: '0 3 * * *', timeZone: 'UTC', missed: 'once' },
    });
    expect(await scheduler.get('every:weekly')).toMatchObject({ due: new Date('2026-11-23T02:00:00Z') });
  });

  it('keeps its next time when its service starts again, on time or late', async () => {
    const { start, scheduler, clock } = shop();
    await start([daily()]);
    const set = await scheduler.get('every:shop.report');
    for (const hours of [1, 40]) {
      clock.time = NOON + hours * 3_600_000;
      await start([daily()]);
      expect(await scheduler.get('every:shop.report')).toEqual(set);
    }
  });

  it('is set by many at once as by one', async () => {
    const { start, scheduler } = shop();
    await Promise.all(Array.from({ length: 5 }, () => start([daily()])));
    expect((await scheduler.list()).schedules).toHaveLength(1);
  });

  it('gets the message, the time and the zone of its latest declaration', async () => {
    const { start, scheduler } = shop();
    await start([daily()]);
    await start([daily({ message: new Report('changed') })]);
    const changed = await scheduler.get('every:shop.report');
    expect(changed).toMatchObject({ due: new Date('2026-11-23T03:00:00Z'), message: { data: { kind: 'changed' } } });
    await start([daily({ timeZone: 'Europe/Berlin' })]);
    expect((await scheduler.get('every:shop.report'))?.due).toEqual(new Date('2026-11-23T02:00:00Z'));
  });

  it('is reported when it is not declared any more, or removed where that is wanted; others are left alone', async () => {
    const { start, scheduler, said } = shop();
    await scheduler.schedule(new Report('by hand'), { delayMs: 1, id: 'by-hand' });
    await start([daily(), daily({ id: 'old' })]);
    await start([daily()]);
    expect(said).toEqual([
      expect.stringContaining("schedule 'every:old' goes on, but this process does not declare it"),
    ]);
    expect((await scheduler.list()).schedules).toHaveLength(3);
    await start([daily()], 'remove');
    const { schedules } = await scheduler.list();
    expect(schedules.map(({ id }) => id).sort()).toEqual(['by-hand', 'every:shop.report']);
    await start([], 'remove');
    expect((await scheduler.list()).schedules.map(({ id }) => id)).toEqual(['by-hand']);
  });

  it('says nothing of others where none is declared', async () => {
    const { start, said } = shop();
    await start([daily()]);
    await start([]);
    expect(said).toEqual([]);
  });
});

describe('a declaration that cannot work', () => {
  it.each([
    [daily({ cron: '* *' }), /Reports: '\* \*' is no schedule/],
    [daily({ timeZone: 'Mars' }), /Reports: .*'Mars'/],
    [daily({ id: 'a b' }), /schedule "every:a b" cannot be used/],
  ])('is an error: %#', (declaration, message) => {
    const schedules = new DeclaredSchedules();
    expect(() => schedules.add(declaration)).toThrow(ConfigurationError);
    expect(() => schedules.add(declaration)).toThrow(message);
  });

  it('is also one that has the id of another one', () => {
    const schedules = new DeclaredSchedules();
    schedules.add(daily());
    expect(() => schedules.add(daily({ name: 'Others' }))).toThrow(
      /Reports and Others both declare the schedule 'every:shop.report'/,
    );
  });
});
