import calculateSlot from 'cluster-key-slot';
import fc from 'fast-check';
import { ConfigurationError } from './errors.js';
import { checkContext, checkName, KeyBuilder } from './keys.js';
import { ownLog } from './partition.js';
import type { Partition } from './partition.js';

const keys = new KeyBuilder('shop');
const partition: Partition = { context: 'order', index: 3 };

/** Every key of a partition, with the same name wherever one is free. */
function allKeys(builder: KeyBuilder, at: Partition, name: string): string[] {
  return [
    builder.log({ partition: at, log: 'feed' }),
    builder.log({ partition: at, log: 'in' }),
    builder.log({ partition: at, log: ownLog(name) }),
    builder.stream(at, name),
    builder.state(at, name),
    builder.view(at, name),
    ...builder.viewIndex(at, name),
    ...builder.timers(at),
    builder.dead(at),
    builder.parked(at, name),
    builder.behind(at, name, name),
    builder.out(at),
    builder.command(at, name),
    builder.lease(at, name),
    builder.retries(at, name),
  ];
}

const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((text) => {
  try {
    return checkName(text, 'name') === text;
  } catch {
    return false;
  }
});
const context = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);

describe('keys', () => {
  // Stored data depend on these.
  it('are fixed for ever', () => {
    expect(allKeys(keys, partition, 'x-1')).toEqual([
      '{shop:order:3}:feed',
      '{shop:order:3}:in',
      '{shop:order:3}:own:x-1',
      '{shop:order:3}:s:x-1',
      '{shop:order:3}:state:x-1',
      '{shop:order:3}:view:x-1',
      '{shop:order:3}:view-index:x-1',
      '{shop:order:3}:view-entries:x-1',
      '{shop:order:3}:timers',
      '{shop:order:3}:timer-messages',
      '{shop:order:3}:timer-details',
      '{shop:order:3}:dead',
      '{shop:order:3}:parked:x-1',
      '{shop:order:3}:behind:x-1:4PJsXJJ1dmEVP5QenQ5l7O',
      '{shop:order:3}:out',
      '{shop:order:3}:cmd:x-1',
      '{shop:order:3}:lease:x-1',
      '{shop:order:3}:retry:x-1',
    ]);
    expect(keys.contexts()).toBe('shop:contexts');
    expect(new KeyBuilder().contexts()).toBe('millrace:contexts');
  });

  it('of one partition are in one Cluster slot, whatever the names', () => {
    fc.assert(
      fc.property(context, context, fc.nat(1023), name, (namespace, owner, index, text) => {
        const slots = allKeys(new KeyBuilder(namespace), { context: owner, index }, text).map((key) =>
          calculateSlot(key),
        );
        expect(new Set(slots).size).toBe(1);
      }),
    );
  });

  it('of different things are different', () => {
    fc.assert(
      fc.property(name, name, (a, b) => {
        fc.pre(a !== b);
        const both = [...allKeys(keys, partition, a), ...allKeys(keys, partition, b)];
        // Logs, timers, dead letters and the outbox have no name.
        expect(new Set(both).size).toBe(both.length - 7);
      }),
    );
  });
});

describe('a name', () => {
  it.each(['order-1', 'a', 'place-order.v2', 'Größe', 'a:b/c|d', '🙂', 'x'.repeat(256)])('may be %p', (text) => {
    expect(checkName(text, 'stream')).toBe(text);
  });

  it.each([
    '',
    'a b',
    'a{b}',
    '}',
    'a*',
    'a?',
    '[a]',
    'a\\b',
    'a..b',
    '../x',
    'a\r\nb',
    'a\0b',
    '\u001b[31m',
    '\u202e',
    'x'.repeat(257),
  ])('may not be %j', (text) => {
    expect(() => checkName(text, 'stream')).toThrow(ConfigurationError);
    for (const make of [keys.stream, keys.state, keys.view, keys.command, keys.lease, keys.retries]) {
      expect(() => make.call(keys, partition, text)).toThrow('cannot be used');
    }
  });
});

describe('a context', () => {
  it.each(['order', 'place-order', 'a1', 'x'.repeat(64)])('may be %p', (text) => {
    expect(checkContext(text)).toBe(text);
  });

  it.each(['', '1a', '-a', 'Order', 'a.b', 'a:b', 'a/b', 'a b', 'a{', 'ä', 'x'.repeat(65), 'a\n'])(
    'may not be %j',
    (text) => {
      expect(() => keys.log({ partition: { context: text, index: 0 }, log: 'in' })).toThrow(ConfigurationError);
      expect(() => new KeyBuilder(text)).toThrow(ConfigurationError);
    },
  );
});
