import { Command, contextOf, contractOf, Event, findContract, Reply } from './contract.js';
import { MessageError } from './message-error.js';

@Event('order.placed', { key: 'orderId', version: 3 })
class OrderPlaced {
  orderId = 'o-1';
}

@Reply('catalog.out-of-stock', { failure: true })
class OutOfStock {}

@Command('catalog.reserve-stock')
class ReserveStock extends Command<object, OutOfStock> {}

class Special extends OrderPlaced {}

describe('a contract', () => {
  it('says what the decorator declared', () => {
    expect(contractOf(OrderPlaced)).toEqual({
      kind: 'event',
      type: 'order.placed',
      version: 3,
      failure: false,
      key: 'orderId',
    });
    expect(contractOf(OutOfStock)).toMatchObject({ kind: 'reply', failure: true, version: 1, key: undefined });
    expect(contractOf(ReserveStock)).toMatchObject({ kind: 'command', type: 'catalog.reserve-stock' });
  });

  it('is found from an instance, too', () => {
    expect(contractOf(new OrderPlaced())).toBe(contractOf(OrderPlaced));
    expect(new ReserveStock()).toBeInstanceOf(ReserveStock);
  });

  it('is not inherited: a subclass is another message, or none', () => {
    expect(findContract(Special)).toBeUndefined();
    expect(findContract({})).toBeUndefined();
    expect(findContract(Object.create(null) as object)).toBeUndefined();
  });

  it.each([
    ['a class', Special, 'Special is not a message'],
    ['an instance', new Special(), 'Special is not a message'],
    ['an object literal', {}, 'Object is not a message'],
  ])('is asked of %s that has none', (_what, message, words) => {
    expect(() => contractOf(message)).toThrow(expect.objectContaining({ code: 'undeclared' }));
    expect(() => contractOf(message)).toThrow(words);
  });

  it.each([
    'order',
    'Order.placed',
    'order.',
    '.placed',
    'order placed.x',
    'order.{placed}',
    'order.*',
    `a.${'b'.repeat(128)}`,
  ])('has no type like %p', (type) => {
    expect(() => Event(type)).toThrow(MessageError);
    expect(() => Event(type)).toThrow(expect.objectContaining({ code: 'invalid-type' }));
  });

  it.each([0, -1, 1.5, Number.NaN])('has no version %p', (version) => {
    expect(() => Event('order.placed', { version })).toThrow(expect.objectContaining({ code: 'invalid-type' }));
  });

  it('belongs to the context that its type begins with', () => {
    expect(contextOf('order.placed.again')).toBe('order');
    expect(contextOf('order')).toBe('order');
  });
});
