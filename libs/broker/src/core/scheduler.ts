import { keyOf } from '@millrace/messages';
import type { Broker } from './broker.js';
import type { Guard, TimerWrite, Write } from './commit.js';
import { dueOf, timeOf } from './due.js';
import { ConfigurationError } from './errors.js';
import { outgoing } from './outgoing.js';
import { nextOccurrence, recurrence } from './recurrence.js';
import { EVERY, isDeclared, SCHEDULE, scheduleOf } from './schedule.js';
import type { Schedule, ScheduleOptions, SchedulePage, ScheduleQuery } from './schedule.js';
import { scheduleNote } from './schedule-note.js';
import { newPlaceIn, ownPartition, placeOf } from './schedule-place.js';
import type { SchedulePlace } from './schedule-place.js';
import type { Timer } from './timer.js';
import { UnitOfWork } from './unit-of-work.js';

/**
 * Sends commands and publishes events later, once or again and again. Inside a handler what is scheduled, cancelled and
 * moved is part of the handler's commit; elsewhere it is committed at once. Whatever the number of processes, each
 * occurrence goes out once, and late rather than never: no sooner than due, usually within 100 ms.
 *
 * An occurrence of a recurring schedule has the message id `schedule:<id>:<due in ms>` and the time at which it was due.
 */
export class Scheduler {
  constructor(private readonly broker: Broker) {}

  /**
   * Schedules a message, or replaces what is scheduled under the id.
   *
   * @example
   * await scheduler.schedule(new CancelOrder(orderId), { delayMs: 15 * 60_000, id: `unpaid:${orderId}` });
   * await scheduler.schedule(new NightlyReport(), { cron: '0 3 * * *', timeZone: 'Europe/Berlin', id: 'nightly' });
   *
   * @throws MessageError when the message breaks its contract
   * @throws ConfigurationError for a time, an expression or a time zone that means nothing, for an event of another context, and
   *   for an id that begins with `every:`: those are of `@Every`
   * @throws UnknownOutcomeError when the reply was lost; scheduling again under the same id is safe until it has fired
   */
  async schedule(message: object, options: ScheduleOptions): Promise<{ readonly id: string; readonly due: Date }> {
    const { broker } = this;
    if (isDeclared(options.id)) throw reserved(options.id);
    const now = broker.clock.now();
    const recurs = 'cron' in options ? recurrence(options, now) : undefined;
    const due = recurs ? nextOccurrence(recurs, now) : dueOf(options as { delayMs: number }, now);
    if (due === undefined) throw new ConfigurationError('a schedule needs one of delayMs, at and cron');
    const { key } = options;
    const out = await outgoing(broker, message, key === undefined ? {} : { partitionkey: key });
    const unit = UnitOfWork.current(broker);
    const place =
      options.id === undefined
        ? newPlaceIn(broker, ownPartition(broker, unit) ?? broker.partitionFor(keyOf(out.envelope)))
        : placeOf(broker, options.id);
    const note = scheduleNote(recurs);
    await this.write(place, [], timerIn(place, due, out.text, { to: out.to, ...(note === undefined ? {} : { note }) }));
    broker.alarm.set(due);
    return { id: place.id, due: new Date(due) };
  }

  /** True when it will not fire any more; false when there was nothing to cancel: it has fired, or never was. */
  cancel(id: string): Promise<boolean> {
    return this.change(id, ({ id: timer, partition }) => ({ kind: 'cancel-timer', id: timer, partition }));
  }

  /**
   * Moves a schedule; of a recurring one the next occurrence only.
   *
   * @returns false when there is nothing to move
   * @throws ConfigurationError for a date that is none
   */
  async move(id: string, at: Date): Promise<boolean> {
    const due = timeOf(at);
    const moved = await this.change(id, (timer) => timerIn({ ...timer, timer: timer.id }, due, timer.message, timer));
    if (moved) this.broker.alarm.set(due);
    return moved;
  }

  /** A schedule as it is committed, or undefined. */
  async get(id: string): Promise<Schedule | undefined> {
    const { partition, timer } = placeOf(this.broker, id);
    const found = await this.broker.store.readTimer(partition, timer);
    return found && scheduleOf(found);
  }

  /**
   * Schedules of this context, page by page, in no particular order: those that fire once, those that recur (`recurrence`), and
   * of the latter those that stand in the code (`declared`). A page may hold less than the limit, and not be the
   * last; the last has no cursor.
   */
  async list({ prefix = '', limit = 100, cursor = '0' }: ScheduleQuery = {}): Promise<SchedulePage> {
    const { store, context, partitions } = this.broker;
    const [first, ...rest] = cursor.split(':');
    const schedules: Schedule[] = [];
    let within = rest.length > 0 ? rest.join(':') : undefined;
    for (let index = Number(first); index < partitions; index++) {
      const query = { prefix: `${SCHEDULE}${prefix}`, limit, ...(within === undefined ? {} : { cursor: within }) };
      const page = await store.listTimers({ context, index }, query);
      schedules.push(...page.timers.map(scheduleOf));
      within = page.cursor;
      if (within !== undefined) return { schedules, cursor: `${index}:${within}` };
      if (schedules.length >= limit && index + 1 < partitions) return { schedules, cursor: `${index + 1}` };
    }
    return { schedules, cursor: undefined };
  }

  /** Writes on what is found, which must still be there: else somebody has changed it, and it is looked at again. */
  private async change(id: string, write: (timer: Timer) => Write): Promise<boolean> {
    const place = placeOf(this.broker, id);
    for (;;) {
      const found = await this.broker.store.readTimer(place.partition, place.timer);
      if (!found) return false;
      const guard: Guard = { kind: 'timer', id: place.timer, due: found.due, partition: place.partition };
      if (await this.write(place, [guard], write(found))) return true;
    }
  }

  /** False when a guard refused it. */
  private async write({ partition }: SchedulePlace, guards: readonly Guard[], write: Write): Promise<boolean> {
    const unit = UnitOfWork.current(this.broker);
    if (unit) {
      unit.addElsewhere({ guards, writes: [write] });
      return true;
    }
    const { status } = await this.broker.commit({ partition, guards, writes: [write] });
    return status === 'committed';
  }
}

function timerIn(
  { partition, timer }: Pick<SchedulePlace, 'partition' | 'timer'>,
  due: number,
  message: string,
  { to, note }: { readonly to: Timer['to']; readonly note?: string | undefined },
): TimerWrite {
  return { kind: 'timer', id: timer, due, message, to, partition, ...(note === undefined ? {} : { note }) };
}

/** It would replace what a service declares, and go when the service starts again. */
function reserved(id: string): ConfigurationError {
  return new ConfigurationError(
    `schedule id '${id}' begins with '${EVERY}', as those of @Every do: choose another, such as '${id.slice(EVERY.length)}'`,
  );
}
