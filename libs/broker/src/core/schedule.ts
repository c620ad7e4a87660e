import type { Envelope } from '@millrace/messages';
import type { Recurrence, RecurrenceOptions } from './recurrence.js';
import { recurrenceOf } from './schedule-note.js';
import type { Timer } from './timer.js';

/** When to fire: once after a delay, once at a time (a past one: at once), or again and again. */
export type When = { readonly delayMs: number } | { readonly at: Date } | RecurrenceOptions;

export type ScheduleOptions = When & {
  /** Scheduling again under an id replaces what is there. It does not begin with `every:`. Default: a new id. */
  readonly id?: string;
  /** Messages of one key are handled in order. Default: the contract's key property, else none. */
  readonly key?: string;
};

/** A message to come, or one that comes again and again. */
export interface Schedule {
  readonly id: string;
  /** When it fires next. */
  readonly due: Date;
  /** The message; each occurrence of a recurring one has an id and a time of its own. */
  readonly message: Envelope;
  /** How it recurs; undefined when it fires once. */
  readonly recurrence: Recurrence | undefined;
  /** It stands in the code of the service, `@Every`, and is set again when that starts. */
  readonly declared: boolean;
}

export interface ScheduleQuery {
  /** Only ids that begin with it. Default: all. */
  readonly prefix?: string;
  /** About how many. Default 100. */
  readonly limit?: number;
  /** Of the page before. */
  readonly cursor?: string;
}

export interface SchedulePage {
  readonly schedules: readonly Schedule[];
  /** For the next page; undefined on the last one. */
  readonly cursor: string | undefined;
}

/** Timers of schedules begin with it; others are those of sagas. An occurrence's message id begins with its timer's id. */
export const SCHEDULE = 'schedule:';

/** Ids of schedules that stand in code begin with it, and no others. */
export const EVERY = 'every:';

export function isDeclared(id: string | undefined): id is string {
  return id !== undefined && id.startsWith(EVERY);
}

export function scheduleOf(timer: Timer): Schedule {
  const id = timer.id.slice(SCHEDULE.length);
  return {
    id,
    due: new Date(timer.due),
    message: JSON.parse(timer.message) as Envelope,
    recurrence: recurrenceOf(timer),
    declared: isDeclared(id),
  };
}
