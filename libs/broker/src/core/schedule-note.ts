import type { Recurrence } from './recurrence.js';
import type { Timer } from './timer.js';

/** What the timer of a schedule keeps beside its message. */
interface ScheduleNote {
  readonly recurs?: Recurrence;
}

export function scheduleNote(recurs: Recurrence | undefined): string | undefined {
  return recurs && JSON.stringify({ recurs } satisfies ScheduleNote);
}

/** How a timer recurs; undefined when it fires once. */
export function recurrenceOf({ note }: Timer): Recurrence | undefined {
  return note === undefined || !note.startsWith('{"recurs"') ? undefined : (JSON.parse(note) as ScheduleNote).recurs;
}
