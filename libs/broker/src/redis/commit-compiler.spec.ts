import calculateSlot from 'cluster-key-slot';
import fc from 'fast-check';
import type { Commit, Guard, Write } from '../core/commit.js';
import { ConfigurationError } from '../core/errors.js';
import { KeyBuilder } from '../core/keys.js';
import type { Partition } from '../core/partition.js';
import { CommitCompiler } from './commit-compiler.js';

const keys = new KeyBuilder('test');
const partition = fc.record({ context: fc.constantFrom('order', 'catalog'), index: fc.nat(3) });
const LOGS = ['feed', 'in', 'own:g'] as const;
const name = fc.stringMatching(/^[a-z]{1,8}$/);
const text = fc.stringMatching(/^[ -~]{12,20}$/);
const entry = fc.record({
  source: fc.record({ partition, log: fc.constantFrom('feed' as const, 'in' as const) }),
  id: fc.nat().map((n) => `${n}-0`),
});

const query = fc.record(
  { tags: fc.array(name, { minLength: 1, maxLength: 3 }), types: fc.array(text, { maxLength: 2 }) },
  { requiredKeys: ['tags'] },
);

const guard: fc.Arbitrary<Guard> = fc.oneof(
  fc.record({ kind: fc.constant('lease' as const), partition, group: name, epoch: fc.nat() }),
  fc.record({ kind: fc.constant('command' as const), id: name, result: text, ttlMs: fc.nat() }),
  fc.record({ kind: fc.constant('tombstone' as const), effect: text, partition }, { requiredKeys: ['kind', 'effect'] }),
  fc.record({ kind: fc.constant('version' as const), stream: name, expected: fc.nat() }),
  fc.record({ kind: fc.constant('version' as const), stream: name, expected: fc.constantFrom('none', 'exists') }),
  fc.record({ kind: fc.constant('tags' as const), query: fc.array(query), after: fc.nat() }),
  fc.record({ kind: fc.constant('revision' as const), state: name, expected: fc.nat() }),
  fc.record(
    { kind: fc.constant('timer' as const), id: name, due: fc.option(fc.nat()), partition },
    { requiredKeys: ['kind', 'id', 'due'] },
  ),
  fc.record({ kind: fc.constant('dead-letter' as const), id: name }),
  fc.record({ kind: fc.constant('parked' as const), group: name, key: text }),
  fc.record({ kind: fc.constant('parked' as const), group: name, key: text, behind: name }),
  fc.record({ kind: fc.constant('input' as const), entry, group: name }),
);

const letter = fc.record({
  ...{ reason: text, error: text, errorClass: text, group: name, entry, attempts: fc.nat(), redriven: fc.nat() },
  ...{ type: fc.option(text, { nil: undefined }), key: fc.option(text, { nil: undefined }) },
  ...{ first: fc.nat(), last: fc.nat(), fields: fc.array(text) },
});
const record = fc.record({ attempts: fc.nat(), due: fc.nat(), first: fc.nat(), error: text });

const write: fc.Arbitrary<Write> = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), events: fc.array(text, { maxLength: 3 }) }),
  fc.record({ kind: fc.constant('append' as const), stream: name, events: fc.array(text, { maxLength: 3 }) }),
  fc.record(
    {
      ...{ kind: fc.constant('append' as const), stream: name, events: fc.array(text, { maxLength: 3 }) },
      ...{ category: name, tags: fc.array(fc.array(name, { maxLength: 2 }), { maxLength: 3 }) },
    },
    { requiredKeys: ['kind', 'events'] },
  ),
  fc.record({ kind: fc.constant('put' as const), state: name, value: text }),
  fc.record({ kind: fc.constant('delete' as const), state: name }),
  fc.record(
    { kind: fc.constant('tombstone' as const), effect: text, by: text, ttlMs: fc.nat(), partition },
    { requiredKeys: ['kind', 'effect', 'by', 'ttlMs'] },
  ),
  fc.record({ kind: fc.constant('row' as const), view: name, id: text, value: fc.option(text) }),
  fc.record(
    { kind: fc.constant('emit' as const), to: partition, log: fc.constantFrom(...LOGS), message: text },
    { requiredKeys: ['kind', 'to', 'message'] },
  ),
  fc.record(
    {
      ...{ kind: fc.constant('timer' as const), id: name, due: fc.nat(), message: text },
      ...{ to: fc.record({ partition, log: fc.constantFrom(...LOGS) }), note: text, partition },
    },
    { requiredKeys: ['kind', 'id', 'due', 'message'] },
  ),
  fc.record({ kind: fc.constant('cancel-timer' as const), id: name, partition }, { requiredKeys: ['kind', 'id'] }),
  fc.record({ kind: fc.constant('dead-letter' as const), letter }),
  fc.record({ kind: fc.constant('dead-letter' as const), letter, park: fc.constantFrom('head', 'behind') }),
  fc.record({ kind: fc.constant('dead-letter' as const), letter, copy: entry }),
  fc.record({ kind: fc.constant('redrive' as const), id: name, group: name }),
  fc.record({ kind: fc.constant('redrive' as const), id: name, group: name, fields: fc.array(text), parked: text }),
  fc.record({ kind: fc.constant('discard' as const), id: name }),
  fc.record({ kind: fc.constant('unpark' as const), group: name, key: text }),
  fc.record({ kind: fc.constant('retry' as const), entry, group: name, record }),
  fc.record({ kind: fc.constant('clear-retry' as const), entry, group: name }),
);

const commit: fc.Arbitrary<Commit> = fc.record({
  partition,
  guards: fc.array(guard, { maxLength: 4 }),
  writes: fc.array(write, { maxLength: 6 }),
});

/** Moves every part of a commit to one partition, as a handler's own commit is; only messages go elsewhere. */
function atHome({ guards, writes, partition: home }: Commit): Commit {
  const at = <E extends { source: { partition: Partition } }>(ref: E): E => ({
    ...ref,
    source: { ...ref.source, partition: home },
  });
  return {
    partition: home,
    guards: guards.map((each) =>
      each.kind === 'lease'
        ? { ...each, partition: home }
        : each.kind === 'input'
          ? { ...each, entry: at(each.entry) }
          : each.kind === 'timer' || each.kind === 'tombstone' || (each.kind === 'command' && !each.withAppended)
            ? { ...each, partition: home }
            : each,
    ),
    writes: writes.map((each) => {
      if (each.kind === 'retry' || each.kind === 'clear-retry') return { ...each, entry: at(each.entry) };
      if (each.kind === 'dead-letter' && each.copy) return { ...each, copy: at(each.copy) };
      const placed = each.kind === 'timer' || each.kind === 'cancel-timer' || each.kind === 'tombstone';
      return placed ? { ...each, partition: home } : each;
    }),
  };
}

describe('a compiled commit', () => {
  const compiler = new CommitCompiler(keys, 'direct');
  const home = { context: 'order', index: 0 };
  const append = (stream: string, ...events: string[]): Write => ({ kind: 'append', stream, events });
  const of = (...writes: Write[]) => compiler.compile({ partition: home, guards: [], writes });

  it('has one script per shape, whatever the values', () => {
    const first = of(append('a', 'x'), { kind: 'put', state: 's', value: '1' });
    const second = of(append('b', 'y', 'z'), { kind: 'put', state: 't', value: '2' });
    expect(second.shape).toBe(first.shape);
    expect(compiler.script(second.shape)).toBe(compiler.script(first.shape));
    expect(compiler.script(of(append('a', 'x')).shape).sha).not.toBe(compiler.script(first.shape).sha);
  });

  it('has the shape of one write or of many: runs are loops', () => {
    const shapes = new Set<string>();
    for (let count = 1; count <= 500; count++) {
      const rows = Array.from({ length: count }, (_, i): Write => ({ kind: 'row', view: 'v', id: `${i}`, value: 'x' }));
      shapes.add(of(...rows).shape);
      shapes.add(of(append('a', ...rows.map(() => 'e'))).shape);
    }
    expect(shapes).toEqual(new Set(['row', 'row*', 'stream-append']));
  });

  it('never has a value in the text of its script', () => {
    fc.assert(
      fc.property(commit, (any) => {
        const { shape, args, allKeys: used } = compiler.compile(any);
        const script = compiler.script(shape).text;
        for (const key of used) expect(script).not.toContain(key);
        for (const arg of args) if (String(arg).length >= 12) expect(script).not.toContain(String(arg));
        expect(shape).toMatch(/^([a-z-]+\*?)?(,[a-z-]+\*?)*$/);
      }),
    );
  });

  it('reads all guards before it writes, and looks at several inputs before it acknowledges the first', () => {
    const input = (id: string): Guard => ({
      kind: 'input',
      entry: { source: { partition: home, log: 'in' }, id },
      group: 'g',
    });
    const guards: Guard[] = [
      input('1-0'),
      { kind: 'revision', state: 's', expected: 1 },
      { kind: 'version', stream: 'a', expected: 0 },
      { kind: 'command', id: 'c', result: '', ttlMs: 1 },
      { kind: 'lease', partition: home, group: 'g', epoch: 1 },
    ];
    const writes = [append('a', 'x')];
    expect(compiler.compile({ partition: home, guards, writes }).shape).toBe(
      'lease,command,version,revision,pending,append,acknowledge,remember',
    );
    expect(compiler.compile({ partition: home, guards: [input('1-0'), input('2-0')], writes }).shape).toBe(
      'pending*,append,input*',
    );
  });

  it('writes to feeds first, which Redis may refuse, and acknowledges after them', () => {
    const input: Guard = { kind: 'input', entry: { source: { partition: home, log: 'in' }, id: '1-0' }, group: 'g' };
    const timer: Guard = { kind: 'timer', id: 't', due: 1 };
    const writes: Write[] = [
      { kind: 'cancel-timer', id: 't' },
      { kind: 'emit', to: home, log: 'feed', message: 'm' },
    ];
    expect(compiler.compile({ partition: home, guards: [input, timer], writes }).shape).toBe(
      'due,pending,emit-event,acknowledge,cancel-timer',
    );
  });

  it('looks at its lease before its input, whatever their order', () => {
    const guards: Guard[] = [
      { kind: 'lease', partition: home, group: 'g', epoch: 1 },
      { kind: 'input', entry: { source: { partition: home, log: 'in' }, id: '1-0' }, group: 'g' },
    ];
    const direct = compiler.compile({ partition: home, guards, writes: [] });
    expect(direct).toEqual(compiler.compile({ partition: home, guards: [...guards].reverse(), writes: [] }));
    expect(direct.shape).toBe('lease,input');
    expect(compiler.compile({ partition: home, guards, writes: [append('a', 'x')] }).shape).toBe(
      'lease,pending,append,acknowledge',
    );
  });
});

describe('under outbox delivery a commit', () => {
  const compiler = new CommitCompiler(keys, 'outbox');
  const slots = (used: readonly string[]): Set<number> => new Set(used.map((key) => calculateSlot(key)));

  it('has all its keys in one Cluster slot, or is refused', () => {
    let refused = 0;
    let compiled = 0;
    fc.assert(
      fc.property(commit, (any) => {
        try {
          expect(slots(compiler.compile(any).allKeys).size).toBeLessThanOrEqual(1);
          compiled++;
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigurationError);
          expect((error as Error).message).toContain('another Cluster slot');
          refused++;
        }
      }),
      { numRuns: 500 },
    );
    expect(refused).toBeGreaterThan(0);
    expect(compiled).toBeGreaterThan(0);
  });

  it('is never refused when only its messages leave the partition', () => {
    fc.assert(
      fc.property(commit, (any) => expect(slots(compiler.compile(atHome(any)).allKeys).size).toBeLessThanOrEqual(1)),
    );
  });

  it('shares a call only with commits of its slot', () => {
    fc.assert(
      fc.property(commit, partition, (any, other) => {
        const [a, b] = [atHome(any), atHome({ ...any, partition: other })].map((each) => compiler.compile(each));
        // A message to the own partition needs no outbox.
        fc.pre(a!.allKeys.length > 0 && a!.shape === b!.shape);
        expect(a!.slot === b!.slot).toBe(slots([...a!.allKeys, ...b!.allKeys]).size === 1);
      }),
    );
  });
});
