import type { SagaHappening } from './saga-line.js';
import { sagaLine } from './saga-line.js';

const happening = (
  at: number,
  step: string,
  what: SagaHappening['what'],
  direction: SagaHappening['direction'] = 'do',
) => ({ at, step, what, direction, times: 1 }) satisfies SagaHappening;

describe('the line of an order', () => {
  it('tells its steps with their times, and what was undone', () => {
    const line = sagaLine([
      happening(0, 'reserve stock', 'sent'),
      happening(4, 'reserve stock', 'done'),
      happening(5, 'authorize payment', 'sent'),
      happening(1505, 'authorize payment', 'timed-out'),
      happening(1506, 'authorize payment', 'sent', 'undo'),
      happening(1516, 'authorize payment', 'done', 'undo'),
      happening(1517, 'reserve stock', 'sent', 'undo'),
      happening(1520, 'reserve stock', 'done', 'undo'),
    ]);
    expect(line).toBe(
      'reserve stock 4 ms  authorize payment no answer for 1.5 s  undo authorize payment 10 ms  undo reserve stock 3 ms',
    );
  });

  it('tells a refusal', () => {
    expect(sagaLine([happening(0, 'reserve stock', 'sent'), happening(4, 'reserve stock', 'refused')])).toBe(
      'reserve stock REFUSED',
    );
  });
});
