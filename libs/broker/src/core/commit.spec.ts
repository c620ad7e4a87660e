import { isRepeatable } from './commit.js';
import type { Guard, Write } from './commit.js';

const partition = { context: 'order', index: 0 };

const version: Guard = { kind: 'version', stream: 'order-1', expected: 0 };
const revision: Guard = { kind: 'revision', state: 'saga-1', expected: 0 };
const append = (stream: string, ...events: string[]): Write => ({ kind: 'append', stream, events });
const put = (state: string): Write => ({ kind: 'put', state, value: '{}' });

function repeatable(guards: readonly Guard[], ...writes: Write[]): boolean {
  return isRepeatable({ partition, guards, writes });
}

describe('a commit is repeatable', () => {
  it('when it acknowledges an input or remembers a command', () => {
    const entry = { source: { partition, log: 'in' as const }, id: '1-1' };
    expect(repeatable([{ kind: 'input', entry, group: 'g' }])).toBe(true);
    expect(repeatable([{ kind: 'command', id: 'c1', result: '', ttlMs: 1000 }])).toBe(true);
  });

  it('when it takes the dead letter away that it guards', () => {
    const there: Guard = { kind: 'dead-letter', id: '1-1' };
    expect(repeatable([there], { kind: 'discard', id: '1-1' })).toBe(true);
    expect(repeatable([there], { kind: 'redrive', id: '1-1', group: 'g' })).toBe(true);
    expect(repeatable([there], { kind: 'discard', id: '1-2' })).toBe(false);
    expect(repeatable([there])).toBe(false);
  });

  it('when it appends to the stream whose version it guards', () => {
    expect(repeatable([version], append('order-1', 'placed'))).toBe(true);
    expect(repeatable([version], append('order-2', 'placed'))).toBe(false);
    expect(repeatable([version], append('order-1'))).toBe(false);
    expect(repeatable([version])).toBe(false);
  });

  it('when it puts the state whose revision it guards', () => {
    expect(repeatable([revision], put('saga-1'))).toBe(true);
    expect(repeatable([revision], put('saga-2'))).toBe(false);
  });

  it('but not when it also deletes that state, which then has its former revision again', () => {
    expect(repeatable([revision], put('saga-1'), { kind: 'delete', state: 'saga-1' })).toBe(false);
    expect(repeatable([revision], put('saga-1'), { kind: 'delete', state: 'saga-2' })).toBe(true);
  });

  it('when it changes the timer that it guards', () => {
    const guard: Guard = { kind: 'timer', id: 't', due: 5 };
    const timer = (due: number, id = 't'): Write => ({ kind: 'timer', id, due, message: '{}' });
    const cancel: Write = { kind: 'cancel-timer', id: 't' };
    expect(repeatable([guard], cancel)).toBe(true);
    expect(repeatable([guard], timer(6))).toBe(true);
    expect(repeatable([{ ...guard, due: null }], timer(5))).toBe(true);
    expect(repeatable([guard], timer(5))).toBe(false);
    expect(repeatable([guard], timer(6, 'u'))).toBe(false);
    expect(repeatable([guard], cancel, timer(5))).toBe(false);
    expect(repeatable([{ ...guard, due: null }], cancel)).toBe(false);
    expect(repeatable([guard], { ...cancel, partition: { context: 'order', index: 1 } })).toBe(false);
  });

  it('but not without guards, nor by its lease alone', () => {
    expect(repeatable([], append('order-1', 'placed'))).toBe(false);
    expect(repeatable([{ kind: 'lease', partition, group: 'g', epoch: 1 }], append('order-1', 'placed'))).toBe(false);
  });
});
