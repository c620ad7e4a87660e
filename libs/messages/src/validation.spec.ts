import { Expose, Type } from 'class-transformer';
import { ArrayMinSize, IsDefined, IsInt, IsOptional, IsString, Min, ValidateNested } from 'class-validator';
import { Event } from './contract.js';
import { toInstance, validateMessage } from './validation.js';

class Line {
  @IsString() sku!: string;
  @IsInt() @Min(1) quantity!: number;
}

class Address {
  @IsString() city!: string;
}

@Event('order.placed')
class OrderPlaced {
  @IsString() orderId!: string;
  @ValidateNested({ each: true }) @Type(() => Line) lines!: Line[];
  @IsOptional() @ValidateNested() @Type(() => Address) address?: Address;

  total(): number {
    return this.lines.length;
  }
}

@Event('order.noted')
class OrderNoted {
  @IsString() @Expose({ name: 'text' }) note!: string;
}

@Event('order.remarked')
class OrderRemarked {
  @IsDefined() remark!: unknown;
}

@Event('order.listed')
class OrderListed {
  @ArrayMinSize(1) @IsString({ each: true }) ids: string[];

  constructor({ ids }: { ids: string[] }) {
    this.ids = ids;
  }
}

const line = { sku: 'mug', quantity: 1 };
const order = { orderId: 'o-1', lines: [line] };
const read = (data: unknown) => toInstance(OrderPlaced, data);
const refusal = (text: string) => expect.objectContaining({ code: 'invalid-data', message: text });

describe('received data', () => {
  it('become instances of their classes, nested ones too', () => {
    const placed = read({ ...order, address: { city: 'Bonn' } });
    expect(placed).toBeInstanceOf(OrderPlaced);
    expect(placed.lines[0]).toBeInstanceOf(Line);
    expect(placed.address).toBeInstanceOf(Address);
    expect(placed.total()).toBe(1);
  });

  it('become instances of a class whose constructor wants arguments', () => {
    expect(toInstance(OrderListed, { ids: ['a'] })).toBeInstanceOf(OrderListed);
  });

  it('are read as class-transformer is told to', () => {
    expect(toInstance(OrderNoted, { text: 'hello' })).toEqual(Object.assign(new OrderNoted(), { note: 'hello' }));
  });

  it('lose what the class does not declare', () => {
    expect(read({ ...order, extra: 1, lines: [{ ...line, extra: 1 }] })).toEqual(read(order));
  });

  it.each([
    [null, 'order.placed: data is null, expected an object'],
    [[order], 'order.placed: data is an array, expected an object'],
    ['text', 'order.placed: data is string, expected an object'],
    [undefined, 'order.placed: data is undefined, expected an object'],
    [{ ...order, orderId: 7 }, 'order.placed: orderId must be a string'],
    [{ orderId: 'o-1' }, 'order.placed: lines is missing'],
    [{ ...order, lines: null }, 'order.placed: each value in nested property lines must be either object or array'],
    [{ ...order, lines: line }, 'order.placed: lines must be an array'],
    [
      { ...order, lines: [line, null] },
      'order.placed: lines.1: each value in nested property lines must be either object or array',
    ],
    [{ ...order, lines: [line, { ...line, quantity: 0 }] }, 'order.placed: lines.1.quantity must not be less than 1'],
    [{ ...order, address: {} }, 'order.placed: address.city must be a string'],
    [{}, 'order.placed: orderId must be a string; lines is missing'],
  ])('are refused when they are %j', (data, words) => {
    expect(() => read(data)).toThrow(refusal(words));
  });

  it('are refused when an element is no object', () => {
    expect(() => read({ ...order, lines: ['mug'] })).toThrow(/^order\.placed: .*lines/);
  });

  it('cannot replace what the class defines: its constructor, its methods, its prototype', () => {
    expect(() => read({ constructor: { name: 'x' } })).toThrow(/orderId must be a string/);
    expect(read({ ...order, total: 'free', toString: 1 }).total()).toBe(1);
    const evil = JSON.parse('{"__proto__":{"admin":true},"orderId":"o-1","lines":[]}') as object;
    expect(Object.getPrototypeOf(read(evil))).toBe(OrderPlaced.prototype);
    expect(toInstance(OrderPlaced, { ...order, total: 1 }, false).total()).toBe(1);
  });

  it('keep untyped values as they were sent, whatever the names in them', () => {
    const noted = toInstance(OrderRemarked, { remark: { toString: [], valueOf: 1, nested: { constructor: 'x' } } });
    expect(JSON.stringify(noted)).toBe('{"remark":{"toString":[],"valueOf":1,"nested":{"constructor":"x"}}}');
  });

  it('are not checked when validation is off', () => {
    expect(toInstance(OrderPlaced, { orderId: 7 }, false)).toEqual(Object.assign(new OrderPlaced(), { orderId: 7 }));
  });

  it('leave no trace of the names that senders make up', () => {
    for (let i = 0; i < 1_000; i++) expect(read({ ...order, [`x${i}`]: i })).toEqual(read(order));
  });
});

describe('a message to be published', () => {
  it('is given back as it is', () => {
    const placed = Object.assign(new OrderPlaced(), order, { extra: 1 });
    expect(validateMessage(placed)).toBe(placed);
    expect(placed).toHaveProperty('extra');
  });

  it('is refused when it breaks its contract', () => {
    expect(() => validateMessage(Object.assign(new OrderPlaced(), { orderId: '' }))).toThrow(
      refusal('order.placed: lines is missing'),
    );
    expect(() => validateMessage({})).toThrow(expect.objectContaining({ code: 'undeclared' }));
  });
});
