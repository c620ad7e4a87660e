import type { Commit, EntryRef, Guard, Partition, Write } from '@millrace/broker';
import fc from 'fast-check';
import { ANY, NAMES, PENDING, RIGHT } from './commit-plan.js';
import type { Step } from './commit-plan.js';

const text = fc.string({ unit: 'grapheme', maxLength: 5 });
const partition = fc.constantFrom(...NAMES.partitions).map((index): Partition => ({ context: 'planned', index }));
const source = fc.record({ partition, log: fc.constantFrom(...NAMES.logs) });
const group = fc.constantFrom(...NAMES.groups);
const expected = fc.oneof({ weight: 4, arbitrary: fc.constant(RIGHT) }, { weight: 1, arbitrary: fc.nat(3) });
const version = fc.oneof(
  { weight: 3, arbitrary: expected },
  { weight: 1, arbitrary: fc.constantFrom('none' as const, 'exists' as const) },
);
const position = fc.oneof(fc.constant(RIGHT), fc.nat(3));
const tag = fc.constantFrom(...NAMES.tags);
const query = fc.record({ tags: fc.uniqueArray(tag, { minLength: 1 }) });
const entry: fc.Arbitrary<EntryRef> = fc.record({
  source,
  id: fc.oneof(
    { weight: 3, arbitrary: fc.nat(2).map((n) => `${PENDING}${n}`) },
    { weight: 1, arbitrary: fc.nat(4).map((n) => `${ANY}${n}`) },
  ),
});
const record = fc.record({ attempts: fc.nat(9), due: fc.nat(), first: fc.nat(), error: text });

const timerId = fc.constantFrom(...NAMES.timers);
const due = fc.integer({ min: 1, max: 4 });
const key = fc.constantFrom(...NAMES.keys);

const effect = fc.constantFrom(...NAMES.effects);

const command = {
  ...{ kind: fc.constant('command' as const), id: fc.constantFrom(...NAMES.commands), result: text },
  ttlMs: fc.constant(600_000),
};

const guard: fc.Arbitrary<Guard> = fc.oneof(
  fc.record({ kind: fc.constant('lease' as const), partition, group: fc.constant('g'), epoch: expected }),
  fc.record({ ...command, partition }, { requiredKeys: ['kind', 'id', 'result', 'ttlMs'] }),
  fc.record({ ...command, withAppended: fc.constant(true as const) }),
  fc.record({ kind: fc.constant('tombstone' as const), effect, partition }, { requiredKeys: ['kind', 'effect'] }),
  fc.record({ kind: fc.constant('version' as const), stream: fc.constantFrom(...NAMES.streams), expected: version }),
  fc.record({ kind: fc.constant('tags' as const), query: fc.array(query, { maxLength: 2 }), after: position }),
  fc.record({ kind: fc.constant('revision' as const), state: fc.constantFrom(...NAMES.states), expected }),
  fc.record(
    { kind: fc.constant('timer' as const), id: timerId, due: fc.constantFrom(RIGHT, null, 1, 2), partition },
    { requiredKeys: ['kind', 'id', 'due'] },
  ),
  fc.record({ kind: fc.constant('parked' as const), group, key }),
  fc.record({ kind: fc.constant('input' as const), entry, group }),
);

const state = fc.constantFrom(...NAMES.states);
const write: fc.Arbitrary<Write> = fc.oneof(
  fc.record(
    {
      kind: fc.constant('append' as const),
      stream: fc.constantFrom(...NAMES.streams),
      events: fc.array(text, { maxLength: 3 }),
      category: fc.constantFrom(...NAMES.categories),
      tags: fc.array(fc.array(tag, { maxLength: 2 }), { maxLength: 4 }),
    },
    { requiredKeys: ['kind', 'events'] },
  ),
  fc.record({ kind: fc.constant('put' as const), state, value: text }),
  fc.record(
    { kind: fc.constant('tombstone' as const), effect, by: text, ttlMs: fc.constant(600_000), partition },
    { requiredKeys: ['kind', 'effect', 'by', 'ttlMs'] },
  ),
  fc.record({ kind: fc.constant('delete' as const), state }),
  fc.record({
    kind: fc.constant('row' as const),
    view: fc.constantFrom(...NAMES.views),
    id: fc.constantFrom('1', '2'),
    value: fc.option(text),
  }),
  fc.record({
    kind: fc.constant('reply' as const),
    to: fc.record({ partition, instance: fc.constantFrom(...NAMES.instances) }),
    message: text,
  }),
  fc.record(
    { kind: fc.constant('emit' as const), to: partition, log: fc.constantFrom(...NAMES.logs), message: text },
    { requiredKeys: ['kind', 'to', 'message'] },
  ),
  fc.record(
    { kind: fc.constant('timer' as const), id: timerId, due, message: text, to: source, note: text, partition },
    { requiredKeys: ['kind', 'id', 'due', 'message'] },
  ),
  fc.record({ kind: fc.constant('cancel-timer' as const), id: timerId, partition }, { requiredKeys: ['kind', 'id'] }),
  fc.record({ kind: fc.constant('unpark' as const), group, key }),
  fc.record(
    {
      kind: fc.constant('dead-letter' as const),
      park: fc.constantFrom('head' as const, 'behind' as const),
      letter: fc.record({
        reason: fc.constantFrom('handler-failed', 'parked'),
        error: text,
        errorClass: text,
        group,
        type: fc.constantFrom('work.do', undefined),
        key,
        entry: fc.record({ source, id: fc.constant('0-1') }),
        attempts: fc.nat(),
        redriven: fc.nat(9),
        first: fc.nat(),
        last: fc.nat(),
        fields: fc.array(fc.tuple(text, text), { maxLength: 2 }).map((pairs) => pairs.flat()),
      }),
    },
    { requiredKeys: ['kind', 'letter'] },
  ),
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('retry' as const), entry, group, record }),
  },
  fc.record({ kind: fc.constant('clear-retry' as const), entry, group }),
);

const commit: fc.Arbitrary<Commit> = fc.record({
  partition,
  guards: fc.uniqueArray(guard, { maxLength: 3, selector: targetOf }),
  writes: fc.array(write, { maxLength: 5 }),
});

/** Histories of commits, most of them acceptable, with deliveries and due timers in between. */
export const history: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ step: fc.constant('commit' as const), plan: commit, twice: fc.boolean() }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        step: fc.constant('deliver' as const),
        source,
        group,
        limit: fc.integer({ min: 1, max: 3 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        step: fc.constant('fire' as const),
        partition,
        now: due,
        limit: fc.integer({ min: 1, max: 3 }),
      }),
    },
  ),
  { maxLength: 16 },
);

/** What a guard is about: two opposite guards about one thing have no meaning. */
function targetOf(each: Guard): string {
  const {
    epoch: _epoch,
    expected: _expected,
    after: _after,
    query: _query,
    withAppended: _withAppended,
    due: _due,
    result: _result,
    ...target
  } = { epoch: 0, expected: 0, after: 0, query: [], withAppended: false, due: 0, result: '', ...each };
  return JSON.stringify(target);
}
