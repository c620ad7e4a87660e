import fc from 'fast-check';
import { explore } from '../explore.js';
import { sagaOf, sagaShapes } from './random-saga.fixture.js';

const RUNS = Number(process.env.EXPLORED_SAGAS ?? 60);
const MAX_STATES = Number(process.env.EXPLORED_STATES ?? 1500);

describe('sagas of any shape', () => {
  it('hold what every saga has to hold, whatever happens to them', () => {
    const seen = { sagas: 0, exhausted: 0, states: 0, transitions: 0 };
    fc.assert(
      fc.property(sagaShapes, (shape) => {
        const result = explore(sagaOf(shape), { maxStates: MAX_STATES });
        seen.sagas++;
        if (result.exhausted) seen.exhausted++;
        seen.states += result.states;
        seen.transitions += result.transitions;
      }),
      { numRuns: RUNS },
    );
    console.log('explored', seen);
    expect(seen.exhausted).toBeGreaterThan(0);
  }, 600_000);
});
