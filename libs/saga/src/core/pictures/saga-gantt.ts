import type { HistoryEntry } from '../instance.js';
import { escaped } from './chart.js';
import type { Told } from './saga-timeline.js';

/** What happens between the beginning of a step, in one direction, and its end. */
interface Bar {
  readonly step: string;
  readonly path: string;
  readonly direction: HistoryEntry['direction'];
  readonly from: number;
  /** Undefined: it is under way. */
  readonly to?: number;
  /** How it ended. */
  readonly what?: HistoryEntry['what'];
  readonly attempts: number;
}

/** What ends an attempt without ending the step. */
const GOES_ON: ReadonlySet<HistoryEntry['what']> = new Set(['sent', 'failed', 'timed-out', 'late', 'retried']);

/**
 * What happened in a saga as a Mermaid Gantt chart: a section for each step, with a bar for how long it took to do it and to undo it,
 * and milestones for what concerns the whole saga.
 *
 * @param options.now where bars end of what is under way, ms since 1970. Default: when the last thing happened
 * @example
 * sagaGantt({ ...instance, history: await sagas.history(PlaceOrder, id) })
 * @see https://mermaid.js.org/syntax/gantt.html
 */
export function sagaGantt(
  { saga, id, status, startedAt, history }: Told,
  options: { readonly now?: number } = {},
): string {
  const now = options.now ?? Math.max(startedAt, ...history.map(({ at, last = at }) => last));
  const sections = new Map<string, string[]>();
  const add = (step: string, line: string): void => {
    const lines = sections.get(step) ?? [];
    sections.set(step, [...lines, `    ${line}`]);
  };
  for (const { step, path, at, what } of history) {
    if (path === '') add(step, `${named(what)} :milestone, ${at}, 0ms`);
  }
  for (const bar of barsOf(history)) {
    const { step, from, to = now } = bar;
    add(step, `${labelOf(bar)} :${tagsOf(bar)}${from}, ${Math.max(from, to)}`);
  }
  return [
    'gantt',
    `  title ${named(`${saga} ${id}: ${status}`)}`,
    '  dateFormat x',
    `  axisFormat ${now - startedAt < 86_400_000 ? '%H:%M:%S' : '%Y-%m-%d'}`,
    ...[...sections].flatMap(([step, lines]) => [`  section ${named(step)}`, ...lines]),
    '',
  ].join('\n');
}

function barsOf(history: readonly HistoryEntry[]): readonly Bar[] {
  const bars = new Map<string, Bar>();
  for (const { step, path, direction, what, at, times, last = at } of history) {
    if (path === '') continue;
    const place = `${path} ${direction}`;
    const bar = bars.get(place) ?? { step, path, direction, from: at, attempts: 0 };
    const attempts = what === 'sent' ? bar.attempts + times : bar.attempts;
    if (!GOES_ON.has(what)) bars.set(place, { ...bar, attempts, to: last, what });
    else if (what === 'retried') bars.set(place, without(bar, attempts));
    else bars.set(place, { ...bar, attempts });
  }
  return [...bars.values()];
}

/** A step that a person has tried again is under way. */
function without({ to: _to, what: _what, ...bar }: Bar, attempts: number): Bar {
  return { ...bar, attempts };
}

function labelOf({ direction, path, what, attempts }: Bar): string {
  const inside = path.includes('.') ? ` (${path})` : '';
  const often = attempts > 1 ? `, ${attempts} attempts` : '';
  const end = what === undefined || what === 'done' ? '' : `, ${what}`;
  return named(`${direction}${inside}${often}${end}`);
}

/** Colours: what was done, what is under way, what went wrong or is taken back. */
function tagsOf({ direction, what }: Bar): string {
  if (what === undefined) return 'active, ';
  return direction === 'do' && (what === 'done' || what === 'resolved') ? 'done, ' : 'crit, ';
}

function named(text: string): string {
  return escaped(text).replaceAll(':', '#58;');
}
