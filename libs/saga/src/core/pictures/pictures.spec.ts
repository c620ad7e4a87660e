import { Event } from '@millrace/messages';
import { IsString } from 'class-validator';
import { saga } from '../dsl/saga.js';
import type { NewStep } from '../dsl/step.js';
import type { HistoryEntry, SagaInstance } from '../instance.js';
import { placeOrder } from '../place-order.fixture.js';
import { sagaChart } from './saga-chart.js';
import { sagaGantt } from './saga-gantt.js';
import { sagaTimeline } from './saga-timeline.js';

@Event('trips.wanted', { key: 'trip' })
class Wanted {
  @IsString() readonly trip: string;

  constructor(trip: string) {
    this.trip = trip;
  }
}

interface Trip {
  readonly trip: string;
}

/** The edges of a chart by the labels of their ends. */
function edgesOf(chart: string): string[] {
  const names = new Map([...chart.matchAll(/state "(.*)" as (n\d+)/g)].map(([, label, id]) => [id!, label!]));
  const named = (id: string) => names.get(id) ?? id;
  return [...chart.matchAll(/^ *(\S+) --> (\S+)(?: : (.*))?$/gm)].map(
    ([, from, to, label]) => `${named(from!)} -> ${named(to!)}${label ? `: ${label}` : ''}`,
  );
}

describe('the chart of a saga', () => {
  it('leads from its event over its steps to its end, and back in reverse order until the pivot', () => {
    const edges = edgesOf(sagaChart(placeOrder));
    expect(edges).toEqual(
      expect.arrayContaining([
        '[*] -> reserve stock: order.placed',
        'reserve stock -> check credit',
        'check credit -> undo reserve stock: refused',
        'take payment -> undo reserve stock: refused',
        'undo reserve stock -> [*]: compensated',
        'confirm order -> [*]: completed',
      ]),
    );
    expect(edges.filter((edge) => edge.startsWith('confirm order'))).toHaveLength(1);
  });

  it('shows branches, what is done at the same time, and for each of a list; and every bracket is closed', () => {
    const trip = saga<{ trip: string }>()
      .startsOn(Wanted, ({ trip }) => ({ trip }))
      .parallel('book', {
        hotel: (b) => b.step('hotel', (s) => s.calls(() => undefined).compensates(() => undefined)),
        car: (b) => b.step('say "car"; now', (s) => s.calls(() => undefined)),
      })
      .choose('pay', ({ trip }) => (trip === 't1' ? 'card' : 'cash'), {
        card: (b) => b.step('charge', (s) => s.calls(() => undefined).compensates(() => undefined)),
        cash: (b) => b,
      })
      .each(
        'letters',
        () => [1, 2],
        (b) => b.step('write', (s) => s.calls(() => undefined)),
      )
      .sleep('rest', '1h')
      .named('trip', 1);
    const chart = sagaChart(trip);
    const edges = edgesOf(chart);
    expect(edges).toEqual(
      expect.arrayContaining([
        '[*] -> hotel (call): hotel',
        'book (all) -> undo book: refused',
        'undo book -> [*]: compensated',
        'undo charge -> undo book',
        'letters (each, 1 at once) -> undo charge: refused',
        'letters (each, 1 at once) -> undo book: refused',
        'rest (sleep) -> [*]: completed',
      ]),
    );
    expect(chart).toContain('say #34;car#34;#59; now');
    expect(chart.match(/\{$/gm)).toHaveLength(chart.match(/\}$/gm)!.length);
    expect(chart.match(/^ *--$/gm)).toHaveLength(1);
  });

  it('shows step by step how branches and lists are undone, in reverse order', () => {
    const kept = (s: NewStep<Trip>) => s.calls(() => undefined);
    const undone = (s: NewStep<Trip>) => kept(s).compensates(() => undefined);
    const trip = saga<Trip>()
      .startsOn(Wanted, ({ trip }) => ({ trip }))
      .parallel('book', {
        hotel: (b) => b.step('room', undone).step('letter', kept).step('breakfast', undone),
        car: (b) => b.step('car', undone),
        map: (b) => b.step('map', kept),
      })
      .each(
        'guests',
        () => [1, 2],
        (b) =>
          b
            .step('invite', (s) => s.calls(() => undefined).compensates(() => undefined))
            .choose('how', ({ trip }) => (trip === 't1' ? 'post' : 'mail'), {
              post: (c) => c.step('stamp', (s) => s.calls(() => undefined).compensates(() => undefined)),
              mail: (c) => c.step('mail', (s) => s.calls(() => undefined)),
            }),
      )
      .step('pay', kept)
      .named('trip', 1);
    const edges = edgesOf(sagaChart(trip));

    expect(edges).toEqual(
      expect.arrayContaining([
        'book (all) -> undo book: refused',
        // Its branches, from the last step to the first.
        '[*] -> undo breakfast: hotel',
        'undo breakfast -> undo room',
        'undo room -> [*]',
        '[*] -> undo car: car',
        'undo car -> [*]',
        'undo book -> [*]: compensated',
        // An item, by what was chosen for it.
        'guests (each, 1 at once) -> undo guests: refused',
        'undo stamp -> undo invite',
        'undo guests -> undo book',
        'pay (call) -> undo guests: refused',
      ]),
    );
    expect(edges.filter((edge) => edge.includes('undo map') || edge.includes('undo mail'))).toEqual([]);
    expect(edges.filter((edge) => edge.endsWith('-> undo invite: mail'))).toHaveLength(1);
  });
});

describe('the timeline of a saga', () => {
  it('has a line for everything that happened, with who decided it and why', () => {
    const entry = { path: '0', direction: 'do', at: 1000, times: 1 } as const;
    const instance = {
      saga: 'place-order',
      id: '4711',
      status: 'parked',
      startedAt: 1000,
      history: [
        { ...entry, step: 'saga', what: 'started' },
        { ...entry, step: 'reserve stock', what: 'sent', at: 1012, times: 3 },
        { ...entry, step: 'reserve stock', direction: 'undo', what: 'skipped', at: 61_000, by: 'ann', why: 'by\nhand' },
      ],
    } satisfies Partial<SagaInstance>;
    expect(sagaTimeline(instance as unknown as SagaInstance).split('\n')).toEqual([
      'place-order 4711: parked, started 1970-01-01T00:00:01.000Z',
      ' +0 ms  saga           started',
      '+12 ms  reserve stock  sent 3 times',
      ' +60 s  reserve stock  undo skipped by ann: by hand',
      '',
    ]);
  });
});

describe('the Gantt chart of a saga', () => {
  const entry = { path: '0', direction: 'do', at: 1000, times: 1, step: 'reserve stock' } as const;
  const instance = (history: readonly HistoryEntry[]) =>
    ({ saga: 'place-order', id: '4711', status: 'parked', startedAt: 1000, history }) as unknown as SagaInstance;

  it('has a bar for how long each step took to be done and to be undone, and milestones of the whole saga', () => {
    const chart = sagaGantt(
      instance([
        { ...entry, step: 'saga', path: '', what: 'started' },
        { ...entry, what: 'sent', at: 1012, times: 3, last: 1400 },
        { ...entry, what: 'timed-out', at: 1100, times: 2 },
        { ...entry, what: 'done', at: 1500 },
        { ...entry, step: 'pay: now', path: '1.card.0', what: 'sent', at: 1500 },
        { ...entry, step: 'pay: now', path: '1.card.0', what: 'refused', at: 1600 },
        { ...entry, direction: 'undo', what: 'sent', at: 1600 },
        { ...entry, direction: 'undo', what: 'skipped', at: 61_000, by: 'ann', why: 'by hand' },
        { ...entry, step: 'rejection', path: 'end', direction: 'do', what: 'sent', at: 61_000 },
        { ...entry, step: 'saga', path: '', direction: 'undo', what: 'aborted', at: 62_000 },
      ]),
    );
    expect(chart.split('\n')).toEqual([
      'gantt',
      '  title place-order 4711#58; parked',
      '  dateFormat x',
      '  axisFormat %H:%M:%S',
      '  section saga',
      '    started :milestone, 1000, 0ms',
      '    aborted :milestone, 62000, 0ms',
      '  section reserve stock',
      '    do, 3 attempts :done, 1012, 1500',
      '    undo, skipped :crit, 1600, 61000',
      '  section pay#58; now',
      '    do (1.card.0), refused :crit, 1500, 1600',
      '  section rejection',
      '    do :active, 61000, 62000',
      '',
    ]);
  });

  it('lets what is under way go on until now, also what a person has tried again', () => {
    const chart = sagaGantt(
      instance([
        { ...entry, what: 'sent', at: 1012 },
        { ...entry, what: 'given-up', at: 1100 },
        { ...entry, what: 'retried', at: 5000, by: 'ann', why: 'again' },
        { ...entry, what: 'sent', at: 5000 },
      ]),
      { now: 90_000_000 },
    );
    expect(chart).toContain('    do, 2 attempts :active, 1012, 90000000');
    expect(chart).toContain('axisFormat %Y-%m-%d');
  });
});
