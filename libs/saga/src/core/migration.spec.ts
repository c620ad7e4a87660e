import { Event } from '@millrace/messages';
import { IsString } from 'class-validator';
import type { SagaDefinition } from './definition.js';
import { saga } from './dsl/saga.js';
import type { SagaInstance } from './instance.js';
import { migrate } from './migration.js';
import type { Move } from './migration.js';
import { next } from './next.js';

@Event('shop.paid', { key: 'id' })
class Paid {
  @IsString() readonly id: string;

  constructor(id: string) {
    this.id = id;
  }
}

interface State {
  id: string;
}
const start = () => saga<State>().startsByCall(({ id }: State) => ({ id }), { id: ({ id }) => id });
const one = (described: { named(name: string, version?: number): SagaDefinition<State> }) => described.named('x', 1);
const two = (described: { named(name: string, version?: number): SagaDefinition<State> }) => described.named('x', 2);

function begun(definition: SagaDefinition<State>): SagaInstance<State> {
  const transition = next(definition, undefined, { kind: 'start', id: 'a', input: { id: 'a' } }, { now: 1 });
  if (transition.outcome !== 'moved') throw new Error(transition.outcome);
  return transition.instance;
}

const moving = (from: SagaDefinition<State>, to: SagaDefinition<State>, move: Move = {}) =>
  migrate(from, to, begun(from), move, { by: 'ann', why: 'new', now: 2 });

describe('an instance that goes on with another version', () => {
  const old = one(start().waitFor('payment', Paid).sleep('rest', 1));

  it('may have other steps in front of it', () => {
    const moved = moving(old, two(start().waitFor('payment', Paid).sleep('longer', 5).sleep('rest', 1)));
    expect(moved).toMatchObject({
      outcome: 'migrated',
      instance: { version: 2 },
    });
  });

  it('says in its history who has moved it, and why', () => {
    const moved = moving(old, two(start().waitFor('payment', Paid)));
    const entry = expect.objectContaining({ what: 'migrated', by: 'ann', why: 'new', at: 2 }) as object;
    expect(moved).toMatchObject({ instance: { history: expect.arrayContaining([entry]) as object[] } });
  });

  it('stays where it is when what it has begun stands elsewhere, is gone, or is something else', () => {
    const reasons = [
      start().sleep('rest', 1).waitFor('payment', Paid),
      start().sleep('payment', 1),
      start().parallel('payment', { x: (b) => b.sleep('s', 1) }),
    ].map((other) => moving(old, two(other)));
    expect(reasons).toEqual([
      { outcome: 'refused', reason: "it has begun 'payment', where the new version has 'rest'" },
      { outcome: 'refused', reason: "'payment', which it has begun, is another kind of step in the new version" },
      { outcome: 'refused', reason: "'payment', which it has begun, is another kind of step in the new version" },
    ]);
  });

  it('finds a step that has a new name by what is said of names', () => {
    const at = (step: string) => (step === 'payment' ? 'money' : step);
    const renamed = two(start().waitFor('money', Paid).sleep('rest', 1));
    expect(moving(old, renamed)).toMatchObject({ outcome: 'refused' });
    expect(moving(old, renamed, { at })).toMatchObject({ outcome: 'migrated' });
  });

  it('is looked at in its branches', () => {
    const fork = (name: string) =>
      start().parallel('p', { x: (b) => b.waitFor(name, Paid), y: (b) => b.sleep('s', 1) });
    const less = start().parallel('p', { x: (b) => b.waitFor('a', Paid), z: (b) => b.sleep('s', 1) });
    expect(moving(one(fork('a')), two(fork('a').sleep('z', 1)))).toMatchObject({ outcome: 'migrated' });
    expect(moving(one(fork('a')), two(fork('b')))).toMatchObject({ reason: expect.stringContaining("has 'b'") });
    expect(moving(one(fork('a')), two(less))).toMatchObject({ reason: expect.stringContaining('other branches') });

    const [x, y] = [
      start().choose('c', () => 'x', { x: (b) => b.sleep('s', 1) }),
      start().choose('c', () => 'y', { y: (b) => b.sleep('s', 1) }),
    ];
    expect(moving(one(x), two(x.sleep('z', 1)))).toMatchObject({ outcome: 'migrated' });
    expect(moving(one(x), two(y))).toMatchObject({ reason: expect.stringContaining("branch 'x'") });

    const list = (name: string) =>
      start().each(
        'e',
        () => [1, 2],
        (b) => b.sleep(name, 1),
      );
    expect(moving(one(list('s')), two(list('s').sleep('z', 1)))).toMatchObject({ outcome: 'migrated' });
    expect(moving(one(list('s')), two(list('t')))).toMatchObject({ reason: expect.stringContaining("has 't'") });
  });

  it('stays as it is when it has ended', () => {
    const ended = begun(one(start().step('a', (s) => s.calls(() => 1))));
    const done: SagaInstance<State> = { ...ended, status: 'completed' };
    expect(migrate(old, old, done, {}, { by: 'a', why: 'b', now: 2 })).toEqual({
      outcome: 'refused',
      reason: 'it is completed',
    });
  });
});
