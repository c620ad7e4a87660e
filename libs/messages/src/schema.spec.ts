import { type } from 'arktype';
import { IsString } from 'class-validator';
import * as v from 'valibot';
import { z } from 'zod';
import { Command, contractOf, Event, Reply } from './contract.js';
import { encode, envelope, toInstance, validateMessage } from './index.js';
import { Schema } from './schema.js';

const ZodLine = z.object({ sku: z.string(), quantity: z.int().min(1) });

@Event('order.placed', { key: 'orderId', version: 2 })
class ByZod extends Schema(
  z.object({ orderId: z.string().min(3), lines: z.array(ZodLine), currency: z.string().default('EUR') }),
) {
  get size(): number {
    return this.lines.length;
  }
}

@Event('order.placed', { key: 'orderId', version: 2 })
class ByValibot extends Schema(
  v.object({
    orderId: v.pipe(v.string(), v.minLength(3)),
    lines: v.array(v.object({ sku: v.string(), quantity: v.pipe(v.number(), v.integer(), v.minValue(1)) })),
    currency: v.optional(v.string(), 'EUR'),
  }),
) {}

@Event('order.placed', { key: 'orderId', version: 2 })
class ByArkType extends Schema(
  type({
    orderId: 'string >= 3',
    lines: type({ sku: 'string', quantity: 'number.integer >= 1' }).array(),
    currency: "string = 'EUR'",
  }),
) {}

const good = { orderId: 'o-1', lines: [{ sku: 'mug', quantity: 2 }] };
const invalid = expect.objectContaining({ code: 'invalid-data' }) as Error;

describe.each([
  ['Zod', ByZod],
  ['Valibot', ByValibot],
  ['ArkType', ByArkType],
])('a contract described by %s', (_library, OrderPlaced) => {
  it('is one like any other', () => {
    expect(contractOf(OrderPlaced)).toMatchObject({ kind: 'event', type: 'order.placed', version: 2, key: 'orderId' });
  });

  it('makes instances with what its schema makes', () => {
    const placed = new OrderPlaced(good);
    expect(placed).toBeInstanceOf(OrderPlaced);
    expect({ ...placed }).toEqual({ ...good, currency: 'EUR' });
    const text = encode(envelope({ source: '/order', type: 'order.placed', data: validateMessage(placed) }));
    expect((JSON.parse(text) as { data: unknown }).data).toEqual({ ...good, currency: 'EUR' });
  });

  it('makes them from received data, too', () => {
    const received = toInstance<object>(OrderPlaced, JSON.parse(JSON.stringify(good)));
    expect(received).toBeInstanceOf(OrderPlaced);
    expect(received).toEqual(new OrderPlaced(good));
  });

  it.each([
    [{ ...good, orderId: 7 }, 'orderId'],
    [{ ...good, lines: [{ sku: 'mug', quantity: 0 }] }, /lines(\.0|\[0\])\.quantity/],
    [{ orderId: 'o' }, /(?=.*orderId)(?=.*lines)/],
    ['text', 'data is string, expected an object'],
    [[], 'data is an array, expected an object'],
  ])('refuses %j with every wrong field', (data, words) => {
    expect(() => toInstance<object>(OrderPlaced, data)).toThrow(invalid);
    expect(() => toInstance<object>(OrderPlaced, data)).toThrow(words);
    expect(() => new OrderPlaced(data as never)).toThrow(invalid);
  });

  it('refuses an instance that was spoilt before it is published', () => {
    const placed = Object.assign(new OrderPlaced(good), { orderId: 'o' });
    expect(() => validateMessage(placed)).toThrow(/order\.placed: .*orderId/);
  });

  it('is not checked when that is switched off', () => {
    expect(toInstance<object>(OrderPlaced, { orderId: 7 }, false)).toMatchObject({ orderId: 7 });
  });
});

describe('a class that extends a schema', () => {
  it('keeps its own members whatever the data are called', () => {
    @Event('order.noted')
    class Noted extends Schema(z.looseObject({ text: z.string() })) {
      loud(): string {
        return this.text.toUpperCase();
      }
    }
    const noted = toInstance(Noted, JSON.parse('{"text":"a","loud":1,"constructor":{},"more":1}'));
    expect(noted.loud()).toBe('A');
    expect(noted.constructor).toBe(Noted);
    expect(noted).toMatchObject({ more: 1 });
  });

  it('has getters, and can be a command with replies', () => {
    expect(new ByZod(good).size).toBe(1);
    @Reply('order.done')
    class Done extends Schema(z.object({ at: z.coerce.date() })) {}
    @Command('order.place', { replies: [Done] })
    class Place extends Schema(z.object({ orderId: z.string() }))<Done> {}
    expect(contractOf(new Place({ orderId: 'a' }))).toMatchObject({ kind: 'command', replies: [Done] });
    const done = new Done({ at: '2026-01-01T00:00:00.000Z' });
    expect(toInstance(Done, JSON.parse(JSON.stringify(done)))).toEqual(done);
  });

  it('is refused when nothing declares it', () => {
    class Undeclared extends Schema(z.object({})) {}
    expect(() => new Undeclared({})).toThrow('Undeclared is not a message');
  });

  it('is refused with decorators of class-validator, which nobody would ask', () => {
    const declare = () => {
      @Event('order.both')
      class Both extends Schema(z.object({ id: z.string() })) {
        @IsString() text!: string;
      }
      return Both;
    };
    expect(declare).toThrow('Both is described by a schema and by decorators of class-validator');
  });
});

describe('an asynchronous schema', () => {
  it('is refused where it is declared', () => {
    const declare = () => Event('order.checked')(class extends Schema(v.objectAsync({ id: v.string() })) {});
    expect(declare).toThrow(expect.objectContaining({ code: 'async-schema' }));
    expect(declare).toThrow('the schema of order.checked is asynchronous');
  });

  it('that shows itself only with good data is refused with the first message', () => {
    @Event('order.checked')
    class Checked extends Schema(z.object({ id: z.string().refine(async () => false) })) {}
    expect(() => new Checked({ id: 'a' })).toThrow(expect.objectContaining({ code: 'async-schema' }));
  });
});

describe('a schema that throws', () => {
  it('makes the message invalid, and says what it said', () => {
    @Event('order.odd')
    class Odd extends Schema(
      v.object({
        id: v.pipe(
          v.string(),
          v.check(() => {
            throw new Error('no table');
          }),
        ),
      }),
    ) {}
    expect(() => toInstance(Odd, { id: 'a' })).toThrow(invalid);
    expect(() => toInstance(Odd, { id: 'a' })).toThrow('order.odd: its schema threw: no table');
  });
});
