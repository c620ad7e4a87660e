import { Event } from '@millrace/messages';
import { IsString } from 'class-validator';
import { saga } from '../dsl/saga.js';
import type { SagaInstance } from '../instance.js';
import { placeOrder } from '../place-order.fixture.js';
import { sagaChart } from './saga-chart.js';
import { sagaTimeline } from './saga-timeline.js';

@Event('trips.wanted', { key: 'trip' })
class Wanted {
  @IsString() readonly trip: string;

  constructor(trip: string) {
    this.trip = trip;
  }
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
        'book (all) -> [*]: refused, compensated',
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
