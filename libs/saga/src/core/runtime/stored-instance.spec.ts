import fc from 'fast-check';
import type { Happening, HistoryEntry, SagaInstance } from '../instance.js';
import { pastOf } from '../past.js';
import { fromStored, toStored, withoutPast, withPast } from './stored-instance.js';

const happenings: readonly Happening[] = ['started', 'sent', 'done', 'late', 'turned', 'resolved', 'completed'];
const time = fc.integer({ min: 1_700_000_000_000, max: 1_900_000_000_000 });
const entry: fc.Arbitrary<HistoryEntry> = fc.record(
  {
    step: fc.string(),
    path: fc.constantFrom('', '0', '3.hotel.1', 'end'),
    direction: fc.constantFrom('do', 'undo'),
    what: fc.constantFrom(...happenings),
    at: time,
    times: fc.integer({ min: 1, max: 9 }),
    last: time,
    change: fc.record({ value: fc.jsonValue() }),
    reason: fc.string(),
    by: fc.string(),
    why: fc.string(),
  },
  { requiredKeys: ['step', 'path', 'direction', 'what', 'at', 'times'] },
);
const instance: fc.Arbitrary<SagaInstance> = fc.record(
  {
    saga: fc.constant('place-order'),
    id: fc.string({ minLength: 1 }),
    version: fc.nat(),
    hash: fc.string(),
    correlationid: fc.string(),
    status: fc.constantFrom('running', 'parked', 'completed'),
    state: fc.jsonValue(),
    run: fc.constant({ phase: 'doing', runs: [{ phase: 'doing', attempt: 2 }] }),
    history: fc.array(entry),
    pages: fc.nat(),
    wakeAt: time,
    startedAt: time,
    updatedAt: time,
  },
  {
    requiredKeys: [
      'saga',
      'id',
      'version',
      'hash',
      'correlationid',
      'status',
      'state',
      'run',
      'history',
      'startedAt',
      'updatedAt',
    ],
  },
);

describe('a stored instance', () => {
  it('is read as it would be as plain JSON, with what is stored beside it', () => {
    const beside = fc.record({ timerAt: time, keys: fc.dictionary(fc.string(), fc.string()) }, { requiredKeys: [] });
    fc.assert(
      fc.property(instance, beside, (one, { timerAt, keys }) => {
        const read = fromStored(toStored(one, { timerAt, keys }).text);
        expect(JSON.parse(JSON.stringify(read))).toEqual(JSON.parse(JSON.stringify({ instance: one, timerAt, keys })));
      }),
    );
  });

  it('without its past goes on to the same text, and becomes whole again', () => {
    const beside = { timerAt: 1_800_000_000_000, keys: { order: '4711' } };
    fc.assert(
      fc.property(instance, fc.array(entry, { maxLength: 3 }), (one, added) => {
        const stored = toStored(one, beside);
        const { instance: known, ...others } = withoutPast(stored);
        expect(others).toEqual(beside);
        expect(known.history).toEqual([]);
        const whole = fromStored(stored.text) as { instance: SagaInstance };
        expect(withPast(known)).toEqual(whole.instance);
        const next = toStored({ ...known, history: added }, beside);
        expect(next).toEqual(toStored({ ...whole.instance, history: [...whole.instance.history, ...added] }, beside));
      }),
    );
  });

  it('finds in a past that was left out whatever is in it', () => {
    fc.assert(
      fc.property(instance, (one) => {
        const past = pastOf(withoutPast(toStored(one, {})).instance)!;
        expect(past.entries).toBe(one.history.length);
        for (const { path, direction, what } of one.history) expect(past.mayHold(path, direction, what)).toBe(true);
        expect(past.mayHold('7', 'do', 'sent')).toBe(false);
      }),
    );
  });

  it('tells a saga that was removed', () => {
    expect(fromStored('{"removedAt":7}')).toEqual({ removedAt: 7 });
  });
});
