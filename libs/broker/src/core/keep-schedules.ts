import { MessageError } from '@millrace/messages';
import type { Envelope } from '@millrace/messages';
import type { Broker } from './broker.js';
import type { Write } from './commit.js';
import type { DeclaredSchedules, ScheduleDeclaration } from './declared-schedules.js';
import { ConfigurationError } from './errors.js';
import type { Logger } from './logger.js';
import { outgoing } from './outgoing.js';
import { nextOccurrence, recurrence } from './recurrence.js';
import { EVERY } from './schedule.js';
import { scheduleNote } from './schedule-note.js';
import { placeOf } from './schedule-place.js';
import { Scheduler } from './scheduler.js';
import type { Timer } from './timer.js';

/** What becomes of schedules that were declared once, and are not by this process. */
export type UndeclaredSchedules = 'report' | 'remove';

/**
 * Sets what is declared, unless it is there as declared. Every process may do so, at any time: a schedule keeps its next time
 * while its expression and its zone stay the same, so no occurrence comes twice or is left out by a restart.
 *
 * @param undeclared undefined: `report`, by processes that declare schedules
 */
export async function keepSchedules(
  broker: Broker,
  { byId }: DeclaredSchedules,
  undeclared: UndeclaredSchedules | undefined,
  logger: Logger,
): Promise<void> {
  for (const [id, declaration] of byId) await keep(broker, id, declaration);
  if (byId.size === 0 && undeclared === undefined) return;
  const scheduler = new Scheduler(broker);
  for (let cursor: string | undefined; ;) {
    const page = await scheduler.list({ prefix: EVERY, limit: 1_000, ...(cursor === undefined ? {} : { cursor }) });
    for (const { id } of page.schedules) {
      if (byId.has(id)) continue;
      if (undeclared !== 'remove') {
        logger.warn(
          `schedule '${id}' goes on, but this process does not declare it: remove it with scheduler.cancel('${id}'), ` +
            `or set undeclaredSchedules: 'remove' where all processes of the service declare the same`,
        );
      } else if (await scheduler.cancel(id)) {
        logger.log(`schedule '${id}' is not declared any more and has been removed`);
      }
    }
    cursor = page.cursor;
    if (cursor === undefined) return;
  }
}

async function keep(broker: Broker, id: string, declaration: ScheduleDeclaration): Promise<void> {
  const { message, key } = declaration;
  const now = broker.clock.now();
  const recurs = recurrence(declaration, now);
  const note = scheduleNote(recurs)!;
  const { partition, timer } = placeOf(broker, id);
  // Without a key the id decides on the partition it goes to, which should not change with every start.
  const attributes = { id: timer, ...(key === undefined ? {} : { partitionkey: key }) };
  const { text, to } = await named(declaration, () => outgoing(broker, message, attributes));
  for (;;) {
    const found = await broker.store.readTimer(partition, timer);
    if (found && isAs(found, { message: text, to, note })) return;
    const due = found?.note === note ? found.due : nextOccurrence(recurs, now)!;
    const write: Write = { kind: 'timer', id: timer, due, message: text, to, note };
    const guards = [{ kind: 'timer', id: timer, due: found?.due ?? null }] as const;
    if ((await broker.commit({ partition, guards, writes: [write] })).status === 'committed') return;
  }
}

/** Says of which declaration a message breaks its contract, or a rule. */
async function named<T>({ name }: ScheduleDeclaration, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof MessageError || cause instanceof ConfigurationError)) throw cause;
    throw new ConfigurationError(`${name}: ${cause.message}`, { cause });
  }
}

/** Whether a timer is what is declared; the time of the message is new with each process. */
function isAs(found: Timer, declared: Pick<Timer, 'message' | 'to' | 'note'>): boolean {
  const essence = ({ message, to, note }: typeof declared): string => {
    const { time: _time, ...rest } = JSON.parse(message) as Envelope;
    return JSON.stringify([rest, to.partition.context, to.partition.index, to.log, note]);
  };
  return essence(found) === essence(declared);
}
