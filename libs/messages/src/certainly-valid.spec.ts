import { jest } from '@jest/globals';
import { isDeepStrictEqual } from 'node:util';
import { Expose, plainToInstance, Transform, Type } from 'class-transformer';
import {
  Allow,
  ArrayNotEmpty,
  ArrayUnique,
  getMetadataStorage,
  IsBoolean,
  IsDate,
  IsDefined,
  IsIn,
  IsInt,
  IsISO4217CurrencyCode,
  IsNotEmpty,
  IsOptional,
  IsString,
  IsUUID,
  Matches,
  Min,
  registerDecorator,
  Validate,
  ValidateIf,
  ValidateNested,
  ValidatePromise,
  ValidatorConstraint,
} from 'class-validator';
import fc from 'fast-check';
import { certainlyValid } from './certainly-valid.js';
import { contractOf, Event } from './contract.js';
import type { MessageClass } from './contract.js';
import { MessageError } from './message-error.js';
import { revive } from './revive.js';
import { toInstance, validateMessage } from './validation.js';
import { wrongFields } from './wrong-fields.js';

/* eslint-disable @typescript-eslint/no-explicit-any -- conditions are written as users write them */

class Line {
  @IsString() @IsNotEmpty() sku!: string;
  @IsInt() @Min(1) quantity!: number;
}

@Event('spec.order')
class Order {
  @IsString() @IsNotEmpty() orderId!: string;
  @ArrayNotEmpty() @ValidateNested({ each: true }) @Type(() => Line) lines!: Line[];
  @IsInt() @Min(0) total!: number;
  @IsISO4217CurrencyCode() currency!: string;
}

@Event('spec.flat')
class Flat {
  @IsUUID() id!: string;
  @IsIn(['a', 'b']) choice!: string;
  @Matches(/^x+$/) text!: string;
  @IsBoolean({ message: 'say yes or no' }) flag!: boolean;
  @IsDefined() there!: unknown;
}

@Event('spec.optional')
class Optional {
  @IsOptional() @IsString() note?: string | null;
  @IsOptional() @ValidateNested() @Type(() => Line) line?: Line | null;
  @IsOptional() @ArrayNotEmpty() @ValidateNested({ each: true }) @Type(() => Line) lines?: Line[];
}

@Event('spec.each')
class Each {
  @IsString({ each: true }) names!: string[];
  @IsInt({ each: true }) @Min(1, { each: true }) numbers!: number[];
  @ArrayUnique((o: any) => o.id) @ValidateNested() @Type(() => Line) lines!: Line[];
  @IsDefined({ each: true }) there!: unknown[];
  @IsString() last!: string;
}

class Ancestor {
  @IsString() id!: string;
  @IsInt() number!: number;
  @ValidateNested() @Type(() => Line) line!: Line;
}
class Parent extends Ancestor {
  @Min(5) override number!: number;
  @ValidateNested() override line!: Line;
}
@Event('spec.child')
class Child extends Parent {
  @IsNotEmpty() override id!: string;
}

class Fussy {
  @Transform(({ value }) => (value as string).trim()) text!: string;
}

@Event('spec.whitelisted')
class Whitelisted {
  @Allow() free: unknown;
  undeclared = 'default';
  @Type(() => Fussy) typed?: Fussy;
  @ValidateNested() untyped!: object;
  @IsString() text = 'default';
  set written(value: string) {
    this.text = `${value}!`;
  }
  @IsString() get shout(): string {
    return this.text.toUpperCase();
  }
}

@Event('spec.conditional')
class Conditional {
  @ValidateIf((o: any) => o.kind === 'text') @IsString() value!: unknown;
  @ValidateIf((o: any) => o.deep.kind === 'text') @IsOptional() @IsString() risky!: unknown;
  @ValidateIf((o: any) => o.kind === 'text') @ValidateNested() @Type(() => Order) order!: Order;
  @IsInt({ validateIf: (o: any) => o.kind !== 'text' }) number!: unknown;
  @Allow() kind!: string;
  @Allow() deep!: object;
}

@Event('spec.dated')
class Dated {
  @IsDate() @Type(() => Date) at!: Date;
  @IsInt() @Transform(({ value }) => Number(value)) count!: number;
  @IsString() @Expose({ name: 'alias' }) named!: string;
}

@Event('spec.bare')
class Bare {}

@Event('spec.tree')
class Tree {
  @IsInt() value!: number;
  @ValidateNested({ each: true }) @Type(() => Tree) branches!: Tree[];
}

@ValidatorConstraint({ name: 'even' })
class Even {
  validate(value: unknown): boolean {
    return (value as number) % 2 === 0;
  }
  defaultMessage(): string {
    return '$property is odd';
  }
}
class Unregistered {
  validate(): boolean {
    return false;
  }
}
const through = (verdict: (value: unknown) => any, async = false) =>
  function (target: object, propertyName: string) {
    registerDecorator({
      name: 'own',
      async,
      target: target.constructor,
      propertyName,
      validator: { validate: verdict },
    });
  };

@Event('spec.custom')
class Custom {
  @Validate(Even) even!: number;
  @Validate(Unregistered) unregistered!: unknown;
  @through((value) => value) truthy!: unknown;
  @through((value: any) => value.length > 0) throwing!: string;
}

@Event('spec.grouped')
class Grouped {
  @IsString({ groups: ['a'] }) grouped!: string;
  @IsString({ groups: ['a'], always: true }) always!: string;
  @IsString({ always: false }) never!: unknown;
}

@Event('spec.promised')
class Promised {
  @through(() => Promise.resolve(false)) promise!: string;
}
@Event('spec.async')
class Async {
  @through(() => Promise.resolve(false), true) async!: string;
}
@Event('spec.awaited')
class AwaitedText {
  @ValidatePromise() @IsString() text!: unknown;
}
@Event('spec.odd-names')
class OddNames {
  @IsDefined() toString!: () => string;
}

const line = { sku: 'mug', quantity: 1 };
const order = { orderId: 'o-1', lines: [line, { ...line, sku: 'cup' }], total: 9180, currency: 'EUR' };

const RUNS = 500;

/** Contracts with data that are in order, and whether class-validator has to be asked about those. */
const CASES: [title: string, contract: MessageClass, data: object, asked?: 'asked'][] = [
  ['nested lines', Order, order],
  ['flat', Flat, { id: 'f81d4fae-7dec-41d0-a765-00a0c91e6bf6', choice: 'a', text: 'xx', flag: true, there: 0 }],
  ['optional, all there', Optional, { note: 'n', line, lines: [line] }],
  ['optional, all null', Optional, { note: null, line: null }],
  [
    'lists',
    Each,
    {
      names: ['a', 'b'],
      numbers: [1, 2],
      lines: [
        { ...line, id: 1 },
        { ...line, id: 2 },
      ],
      there: [0],
      last: 'x',
    },
  ],
  ['inherited', Child, { id: 'c', number: 7, line }],
  [
    'undeclared properties',
    Whitelisted,
    { free: { any: 1 }, typed: { text: 'a' }, untyped: { a: 1 }, text: 't', written: 'w', undeclared: 1 },
  ],
  [
    'conditions, all true',
    Conditional,
    { kind: 'text', value: 'v', risky: 'r', deep: { kind: 'text' }, order, number: 'n' },
  ],
  ['conditions, all false', Conditional, { kind: 'number', value: 1, risky: 1, deep: { kind: 'x' }, number: 1 }],
  ['dates and transforms', Dated, { at: '2026-01-01T00:00:00Z', count: '7', alias: 'a' }],
  ['no decorators', Bare, { anything: 1 }],
  ['a tree', Tree, { value: 1, branches: [{ value: 2, branches: [{ value: 3, branches: [] }] }] }],
  ['own constraints', Custom, { even: 2, unregistered: 1, truthy: 'yes', throwing: 'x' }],
  ['groups', Grouped, { grouped: 'a', always: 'b', never: 'c' }],
  ['a promise', Promised, { promise: 'p' }, 'asked'],
  ['an async constraint', Async, { async: 'a' }, 'asked'],
  ['an awaited value', AwaitedText, { text: 't' }, 'asked'],
  ['a name class-validator cannot bear', OddNames, {}, 'asked'],
];

const RECEIVED = [null, '', 'text', 0, 1, -1, 1.5, true, [], {}, [null], ['x', 1], [[line]], [{}], line, [line], order];

/** What only a sender's own objects can hold. */
const LIVE = [
  () => undefined,
  () => NaN,
  () => () => 'x',
  () => new Map([['a', { ...line }]]),
  () => new Set(['a', null]),
  () => new Date(0),
  () => new Date(NaN),
  () => new String('text'),
  () => Promise.resolve('text'),
  () => Object.create(null) as object,
  () => Object.assign(Object.create(null) as object, { constructor: Line }),
  () => ({ constructor: 'x' }),
  () => ({ constructor: Line }),
  () => Object.assign(new Line(), line),
  () => [Object.assign(new Line(), line, { extra: 1 })],
  () => Array(2),
  () => Symbol('s'),
  () => 10n,
];

const NAMES = ['extra', 'id', 'sku', 'text', '0'];
const AWKWARD_NAMES = [...NAMES, 'toString', 'valueOf', 'constructor', 'hasOwnProperty', 'isPrototypeOf'];

/** One change somewhere in the data: what is done to which member of which object, and with what. */
interface Change {
  readonly object: number;
  readonly member: number;
  readonly action: 'replace' | 'remove' | 'add';
  readonly name: string;
  readonly by: () => unknown;
}

const received = fc
  .oneof({ weight: 4, arbitrary: fc.constantFrom<unknown>(...RECEIVED) }, fc.jsonValue().filter(unlikeMethods))
  .map((value) => () => fresh(value));
const live = fc.oneof(received, fc.constantFrom<() => unknown>(...LIVE));

/**
 * In untyped values class-transformer loses what is named like a method of every object. Here it is kept, which
 * validation.spec.ts shows.
 */
function unlikeMethods(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  const names = Array.isArray(value) ? [] : Object.keys(value);
  return names.every((name) => !(name in Object.prototype)) && Object.values(value).every(unlikeMethods);
}

function changes(names: string[], by: fc.Arbitrary<() => unknown>): fc.Arbitrary<Change[]> {
  const change = fc.record({
    object: fc.nat(50),
    member: fc.nat(50),
    action: fc.constantFrom('replace' as const, 'remove' as const, 'add' as const),
    name: fc.constantFrom(...names),
    by,
  });
  return fc.array(change, { maxLength: 3 });
}

function apply<T extends object>(root: T, all: readonly Change[]): T {
  for (const { object, member, action, name, by } of all) {
    const objects = objectsIn(root);
    const target = objects[object % objects.length] as Record<string, unknown>;
    const names = Object.keys(target);
    const chosen = names[member % names.length];
    if (action === 'add' && !Array.isArray(target)) Reflect.defineProperty(target, name, { value: by(), ...DATA });
    else if (chosen === undefined) continue;
    else if (action !== 'remove') Reflect.defineProperty(target, chosen, { value: by(), ...DATA });
    else if (Array.isArray(target)) target.splice(Number(chosen), 1);
    else Reflect.deleteProperty(target, chosen);
  }
  return root;
}

const DATA = { writable: true, enumerable: true, configurable: true };

function objectsIn(root: object, found = new Set<object>()): object[] {
  if (!found.has(root)) {
    found.add(root);
    for (const value of Object.values(root)) if (typeof value === 'object' && value) objectsIn(value as object, found);
  }
  return [...found];
}

/** What comes of it: the value, or the error with its words. */
function outcome(act: () => unknown): unknown {
  try {
    return { value: act() };
  } catch (error) {
    return { error: (error as Error).name, message: (error as Error).message };
  }
}

/** Equal with their prototypes; Jest goes by the property `constructor`, and here senders make that up. */
function same(found: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(found, expected)) expect(found).toStrictEqual(expected);
  expect(isDeepStrictEqual(found, expected)).toBe(true);
}

/** How messages were checked before there were plans. */
function checked(message: object, whitelist: boolean): object {
  const { type } = contractOf(message);
  const wrong = wrongFields(message, whitelist);
  if (wrong.length > 0) throw new MessageError('invalid-data', `${type}: ${wrong.join('; ')}`);
  return message;
}

type Make = (contract: new () => object, data: object) => object;

/** What was received, as it was checked before there were plans. */
function read(make: Make, contract: MessageClass, data: object): object {
  let instance: object;
  try {
    instance = make(contract as new () => object, data);
  } catch (cause) {
    throw new MessageError('invalid-data', `${contractOf(contract).type}: ${(cause as Error).message}`);
  }
  return checked(instance, true);
}

function fresh<T>(data: T): T {
  return JSON.parse(JSON.stringify(data)) as T;
}

describe.each(CASES)('%s', (_title, contract, data, asked) => {
  it('is received as class-transformer and class-validator would have it, whatever was sent', () => {
    fc.assert(
      fc.property(changes(NAMES, received), (all) => {
        const expected = outcome(() => read(plainToInstance, contract, apply(fresh(data), all)));
        same(
          outcome(() => toInstance(contract, apply(fresh(data), all))),
          expected,
        );
      }),
      { numRuns: RUNS },
    );
  });

  it('is received as class-validator would have it, whatever names the sender made up', () => {
    fc.assert(
      fc.property(changes(AWKWARD_NAMES, received), (all) => {
        const expected = outcome(() => read(revive, contract, apply(fresh(data), all)));
        same(
          outcome(() => toInstance(contract, apply(fresh(data), all))),
          expected,
        );
      }),
      { numRuns: RUNS },
    );
  });

  it('is published or refused as class-validator would have it, whatever it holds', () => {
    fc.assert(
      fc.property(changes(AWKWARD_NAMES, live), (all) => {
        const message = apply(revive(contract, fresh(data)), all);
        const expected = outcome(() => checked(message, false));
        same(
          outcome(() => validateMessage(message)),
          expected,
        );
      }),
      { numRuns: RUNS },
    );
  });

  it('needs no class-validator when it is in order, unless a decorator does', () => {
    expect(certainlyValid(revive(contract, fresh(data)), true)).toBe(asked !== 'asked');
    expect(certainlyValid(revive(contract, fresh(data)), false)).toBe(asked !== 'asked');
  });
});

describe('class-validator', () => {
  it.each([[new Set([null])], [new Map([['a', null]])]])('is called for the members of %p', (there) => {
    const message = Object.assign(new Each(), { names: [], numbers: [], lines: [], there, last: 'x' });
    expect(() => validateMessage(message)).toThrow('spec.each: each value in there should not be null or undefined');
  });

  it('is not called for messages in order, once their class is known', () => {
    const ask = jest.spyOn(getMetadataStorage(), 'getTargetValidationMetadatas');
    try {
      const check = () => validateMessage(toInstance(Order, fresh(order)));
      check();
      ask.mockClear();
      check();
      expect(ask).not.toHaveBeenCalled();
      expect(() => toInstance(Order, { ...order, total: -1 })).toThrow('spec.order: total must not be less than 0');
      expect(ask).toHaveBeenCalled();
    } finally {
      ask.mockRestore();
    }
  });
});
