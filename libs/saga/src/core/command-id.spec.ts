import { checkName } from '@millrace/broker';
import fc from 'fast-check';
import { formatCommandId, isSagaId, parseCommandId, stateName } from './command-id.js';
import type { CommandId } from './command-id.js';

const ids = fc.string({ minLength: 1, maxLength: 40, unit: 'binary' }).filter(isSagaId);
const commandIds: fc.Arbitrary<CommandId> = fc.record({
  saga: fc.constantFrom('place-order', 'a'),
  id: ids,
  path: fc.constantFrom('0', '17', '3.hotel.0', '4.17.0', 'end'),
  direction: fc.constantFrom('do', 'undo'),
  attempt: fc.integer({ min: 1, max: 1_000_000 }),
});

describe('a command id', () => {
  it('reads as saga, instance, place of the step, direction and attempt', () => {
    expect(formatCommandId({ saga: 'place-order', id: '4711', path: '2', direction: 'undo', attempt: 3 })).toBe(
      'place-order/4711/2/undo/3',
    );
  });

  it('is read back, whatever characters the instance id has', () => {
    fc.assert(
      fc.property(commandIds, (parts) => {
        expect(parseCommandId(formatCommandId(parts))).toEqual(parts);
      }),
    );
  });

  it('is the id of one command only', () => {
    fc.assert(
      fc.property(commandIds, commandIds, (one, other) => {
        expect(formatCommandId(one) === formatCommandId(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
    );
  });

  it.each([
    '',
    '4711',
    'place-order/4711/0/do/0',
    'place-order/4711/0/redo/1',
    'place-order//0/do/1',
    'a/b/c/0/do/1',
    'a/b/x/do/1',
    'a/b/1./do/1',
  ])('is not read from %j', (text) => expect(parseCommandId(text)).toBeUndefined());

  it.each(['place-order/%/0/do/1', 'place-order/%41/0/do/1'])('is not read from an id nobody writes: %j', (text) => {
    expect(parseCommandId(text)).toBeUndefined();
  });
});

describe('the name of an instance', () => {
  it('can name a state and a timer, whatever characters the instance id has', () => {
    fc.assert(
      fc.property(ids, (id) => {
        expect(checkName(stateName('place-order', id), 'state')).toMatch(/^saga\.place-order\./);
      }),
    );
  });

  it('is refused for an id that is empty, no Unicode or too long', () => {
    expect(['', '\ud800', 'ü'.repeat(31), 'x'.repeat(181)].map(isSagaId)).toEqual([false, false, false, false]);
  });
});
