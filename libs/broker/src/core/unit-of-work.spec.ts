import { setImmediate as turn } from 'node:timers/promises';
import { ConfigurationError } from './errors.js';
import { UnitOfWork } from './unit-of-work.js';

const home = { context: 'order', index: 0 };
const away = { context: 'order', index: 1 };
const put = { kind: 'put', state: 's', value: '1' } as const;
const guard = { kind: 'version', stream: 's', expected: 0 } as const;

describe('a unit of work', () => {
  it('is found by everything its handler calls, and by nothing else', async () => {
    const unit = new UnitOfWork();
    await unit.run(async () => {
      await turn();
      expect(UnitOfWork.current()).toBe(unit);
      await new UnitOfWork().run(async () => expect(UnitOfWork.current()).not.toBe(unit));
      expect(UnitOfWork.current()).toBe(unit);
    });
    expect(UnitOfWork.current()).toBeUndefined();
  });

  it('becomes one commit: what was staged, what was staged late, what goes out, then the rest', () => {
    const unit = new UnitOfWork();
    expect(unit.partition).toBeUndefined();
    unit.emit(away, 'm');
    unit.stage(home, { guards: [guard] });
    unit.stageLater(() => ({ partition: home, writes: [put] }));
    unit.stageLater(() => undefined);
    const input = { kind: 'input', entry: { source: { partition: home, log: 'in' }, id: '1-0' }, group: 'g' } as const;
    expect(unit.toCommit(away, [input], [{ kind: 'delete', state: 'x' }])).toEqual({
      partition: home,
      guards: [guard, input],
      writes: [put, { kind: 'emit', to: away, message: 'm' }, { kind: 'delete', state: 'x' }],
    });
  });

  it('waits for what was staged for later, in the order in which it was staged', async () => {
    const unit = new UnitOfWork();
    unit.stageLater(async () => ({ partition: home, writes: [put] }));
    unit.stageLater(() => ({ partition: home, guards: [guard] }));
    const commit = unit.toCommit(away);
    expect(commit).toBeInstanceOf(Promise);
    expect(await commit).toEqual({ partition: home, guards: [guard], writes: [put] });
  });

  it('is committed on the given partition when it writes to none', () => {
    expect(new UnitOfWork().toCommit(away)).toEqual({ partition: away, guards: [], writes: [] });
    const unit = new UnitOfWork();
    unit.emit(home, 'm');
    expect(unit.toCommit(away)).toMatchObject({ partition: away });
  });

  it.each([away, { context: 'catalog', index: 0 }])('refuses another partition, and says what to do', (other) => {
    const unit = new UnitOfWork();
    unit.stage({ ...home }, {});
    unit.stage({ ...home }, { writes: [put] });
    expect(() => unit.stage(other, {})).toThrow(ConfigurationError);
    expect(() => unit.stage(other, {})).toThrow(
      `order/0 and ${other.context}/${other.index}, but a commit holds one partition: give both the same key`,
    );
  });

  it('is no longer there for what its handler left running', async () => {
    const unit = new UnitOfWork();
    let left: Promise<unknown> = Promise.resolve();
    unit.run(() => {
      left = turn().then(() => UnitOfWork.current());
    });
    await unit.toCommit(home);
    expect(await left).toBeUndefined();
  });

  it('takes nothing that would be lost', async () => {
    const committed = new UnitOfWork();
    await committed.toCommit(home);
    expect(() => committed.stage(home, { writes: [put] })).toThrow('await what a handler begins');
    expect(() => committed.emit(home, 'm')).toThrow(ConfigurationError);
  });
});
