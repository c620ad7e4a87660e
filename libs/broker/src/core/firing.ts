import type { Envelope } from '@millrace/messages';
import type { Commit, Write } from './commit.js';
import { occurrences } from './recurrence.js';
import { recurrenceOf } from './schedule-note.js';
import type { Timer } from './timer.js';

/**
 * The commit that fires a due timer: its message goes where it wants to, and the timer is gone, or set to the next
 * occurrence. Only one of those who try succeeds, for the guard holds for one.
 */
export function firing(timer: Timer, now: number): Commit {
  const { partition, id, due, message, to, note } = timer;
  const emit = (text: string): Write => ({ kind: 'emit', to: to.partition, log: to.log, message: text });
  const commit = (writes: readonly Write[]): Commit => ({ partition, guards: [{ kind: 'timer', id, due }], writes });
  const recurrence = recurrenceOf(timer);
  if (!recurrence) return commit([emit(message), { kind: 'cancel-timer', id }]);
  const { fire, next } = occurrences(recurrence, due, now);
  return commit([
    ...fire.map((at) => emit(occurrence(timer, at))),
    next === undefined
      ? { kind: 'cancel-timer', id }
      : { kind: 'timer', id, due: next, message, to, ...(note === undefined ? {} : { note }) },
  ]);
}

/** The message of one occurrence: its id tells schedule and due time, so it is the same whoever fires it. */
function occurrence({ id, message }: Timer, at: number): string {
  // Each occurrence is a trace of its own.
  const { traceparent: _traceparent, tracestate: _tracestate, ...template } = JSON.parse(message) as Envelope;
  return JSON.stringify({ ...template, id: `${id}:${at}`, time: new Date(at).toISOString() });
}
