import { Cron } from 'croner';
import { ConfigurationError } from './errors.js';

/** What becomes of occurrences that nobody was there to fire. */
export type MissedPolicy = 'once' | 'skip' | 'all';

export interface RecurrenceOptions {
  /** Minute, hour, day of month, month, day of week; with six fields the first is the second. `@daily` and its like too. */
  readonly cron: string;
  /** IANA name of the zone that the expression is read in, e.g. `Europe/Berlin`. Default `UTC`. */
  readonly timeZone?: string;
  /**
   * Occurrences that came due while nothing ran: `once` fires the first of them and leaves the others out, `all` fires each,
   * `skip` none that is more than a minute late. Default `once`.
   */
  readonly missed?: MissedPolicy;
}

/** A schedule that recurs, complete and checked. */
export type Recurrence = Required<RecurrenceOptions>;

const POLICIES: readonly MissedPolicy[] = ['once', 'skip', 'all'];
const LATE_MS = 60_000;

/** Occurrences of one commit. */
const AT_ONCE = 100;

/**
 * Fills in the defaults.
 *
 * @throws ConfigurationError for an expression, a time zone or a policy that means nothing, or that never occurs
 */
export function recurrence(options: RecurrenceOptions, now: number): Recurrence {
  const { cron, timeZone = 'UTC', missed = 'once' } = options;
  if (!POLICIES.includes(missed)) {
    throw new ConfigurationError(`missed: ${JSON.stringify(missed)} must be one of '${POLICIES.join("', '")}'`);
  }
  if (!isTimeZone(timeZone)) {
    throw new ConfigurationError(`time zone '${timeZone}' is not known: write an IANA name, as 'Europe/Berlin'`);
  }
  const complete = { cron, timeZone, missed };
  let next: number | undefined;
  try {
    next = nextOccurrence(complete, now);
  } catch (error) {
    throw new ConfigurationError(
      `'${cron}' is no schedule: ${(error as Error).message.replace(/^CronPattern: |\.$/g, '')}. ` +
        `Write five fields, as '*/5 * * * *', or six with seconds`,
    );
  }
  if (next === undefined) throw new ConfigurationError(`'${cron}' in time zone '${timeZone}' never occurs`);
  return complete;
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) instanceof Intl.DateTimeFormat;
  } catch {
    return false;
  }
}

/**
 * The first occurrence after a moment, both ms since 1970; undefined when there is none. A time that the clocks leave out
 * in spring occurs right after the gap, one that they repeat in autumn occurs once; a schedule with a wildcard or a list of
 * hours goes by elapsed time.
 */
export function nextOccurrence({ cron, timeZone }: Recurrence, after: number): number | undefined {
  const name = `${timeZone} ${cron}`;
  let schedule = schedules.get(name);
  if (!schedule) {
    schedule = new Cron(cron, { timezone: timeZone, mode: '5-or-6-parts', paused: true });
    if (schedule.getOnce()) throw new TypeError('a date occurs once, give it as { at }');
    if (schedules.size >= KEPT) schedules.clear();
    schedules.set(name, schedule);
  }
  return schedule.nextRun(new Date(after))?.getTime();
}

const schedules = new Map<string, Cron>();
const KEPT = 1_000;

/**
 * What to fire of a schedule whose next occurrence was due, and when the one after that is.
 *
 * @param due no later than `now`
 */
export function occurrences(
  schedule: Recurrence,
  due: number,
  now: number,
): { readonly fire: readonly number[]; readonly next: number | undefined } {
  if (schedule.missed !== 'all') {
    const fire = schedule.missed === 'skip' && now - due > LATE_MS ? [] : [due];
    return { fire, next: nextOccurrence(schedule, Math.max(due, now)) };
  }
  const fire = [due];
  let next = nextOccurrence(schedule, due);
  while (next !== undefined && next <= now && fire.length < AT_ONCE) {
    fire.push(next);
    next = nextOccurrence(schedule, next);
  }
  return { fire, next };
}
