import { Type } from 'class-transformer';
import { IsEmail, IsString, ValidateNested } from 'class-validator';
import { z } from 'zod';
import { Event } from '../contract.js';
import { Schema } from '../schema.js';
import { toInstance } from '../validation.js';
import { DataSubject, PersonalData } from './personal-data.js';
import { personalPlanOf, placeholderFor } from './personal-plan.js';
import { pathsIn, personalValues, pointersOf } from './personal-values.js';

class Address {
  @PersonalData() street = '';
  city = '';
}

class Guest {
  @DataSubject() guestId = '';
  @PersonalData() name = '';
}

class Room {
  beds = 0;
  @Type(() => Room) adjoining: Room[] = [];
}

@Event('stay.booked', { key: 'bookingId' })
class Booked {
  bookingId = '';
  @DataSubject() @IsString() customerId = '';
  @PersonalData({ placeholder: '(gone)' }) @IsEmail() email = '';
  @ValidateNested() @Type(() => Address) address = new Address();
  @Type(() => Guest) guests: Guest[] = [];
  @Type(() => Room) room = new Room();
}

@Event('stay.extended', { key: 'customerId' })
class Extended extends Booked {
  @PersonalData() reason = '';
}

@Event('stay.cancelled')
class Cancelled {
  @Type(() => Room) room = new Room();
}

const values = (data: object, type: unknown = Booked) => [
  ...personalValues(JSON.parse(JSON.stringify(data)), personalPlanOf(type)!, 'stay.booked'),
];

function booked(): Booked {
  const guests = ['bob', 'eve'].map((guestId) => Object.assign(new Guest(), { guestId, name: guestId.toUpperCase() }));
  const address = { street: 'High Street 1', city: 'Bath' };
  return Object.assign(new Booked(), { bookingId: 'b1', customerId: 'ada', email: 'ada@example.org', address, guests });
}

describe('personal data of a message', () => {
  it('are the marked properties, those of nested objects and arrays too, each with its subject', () => {
    expect(values(booked())).toEqual([
      { path: ['email'], subject: 'ada', value: 'ada@example.org' },
      { path: ['address', 'street'], subject: 'ada', value: 'High Street 1' },
      { path: ['guests', '0', 'name'], subject: 'bob', value: 'BOB' },
      { path: ['guests', '1', 'name'], subject: 'eve', value: 'EVE' },
    ]);
  });

  it('leave out what is absent', () => {
    expect(values({ customerId: 'ada', email: null, address: {} })).toEqual([]);
  });

  it('are those of the parents as well', () => {
    const extended = Object.assign(new Extended(), { ...booked(), guests: [], reason: 'ill' });
    expect(
      values(extended, Extended)
        .map(({ path }) => path.join('.'))
        .sort(),
    ).toEqual(['address.street', 'email', 'reason']);
  });

  it('belong to the key of the contract when no property is named', () => {
    @Event('stay.rated', { key: 'customer' })
    class Rated {
      customer = '';
      @PersonalData() words = '';
    }
    expect(values({ customer: 'ada', words: 'nice' }, Rated)).toMatchObject([{ subject: 'ada' }]);
  });

  it.each(['', null, undefined, {}])('need a subject: %p is none', (customerId) => {
    expect(() => values({ customerId, email: 'a@b.c' })).toThrow(
      'stay.booked: email is personal data, but customerId, which says whose, is empty',
    );
  });

  it('need somebody who says whose they are', () => {
    @Event('stay.noted')
    class Noted {
      @PersonalData() text = '';
    }
    expect(() => values({ text: 'x' }, Noted)).toThrow("mark the property with the person's id with @DataSubject()");
  });

  it('are of one person in one object', () => {
    expect(() => {
      class Couple {
        @DataSubject() one = '';
        @DataSubject() other = '';
      }
      return Couple;
    }).toThrow('Couple has @DataSubject() on one and on other');
  });

  it('are nowhere in a class that marks none, even when classes refer to each other', () => {
    expect(personalPlanOf(Cancelled)).toBeUndefined();
    expect([...personalPlanOf(Booked)!.nested.keys()]).toEqual(['address', 'guests']);
  });

  it('can be marked on a class with a schema', () => {
    @Event('stay.paid')
    class Paid extends Schema(z.object({ payer: z.string(), iban: z.string() })) {
      @DataSubject() declare readonly payer: string;
      @PersonalData() declare readonly iban: string;
    }
    const paid = new Paid({ payer: 'ada', iban: 'DE1' });
    expect(values(paid, Paid)).toEqual([{ path: ['iban'], subject: 'ada', value: 'DE1' }]);
    expect(toInstance(Paid, { payer: 'ada', iban: null }, true, true)).toEqual({ payer: 'ada', iban: null });
    expect(() => toInstance(Paid, { payer: null, iban: null }, true, true)).toThrow('payer');
  });
});

describe('what stands in for personal data', () => {
  it('is null, or what the property declares', () => {
    expect(placeholderFor('stay.booked', ['email'])).toBe('(gone)');
    expect(placeholderFor('stay.booked', ['guests', '1', 'name'])).toBeNull();
    expect(placeholderFor('stay.unknown', ['email'])).toBeNull();
  });

  it('is not held against the message, only that', () => {
    const erased = { ...booked(), email: '(gone)' };
    expect(toInstance(Booked, erased, true, true)).toMatchObject({ email: '(gone)' });
    expect(() => toInstance(Booked, erased)).toThrow('email must be an email');
    expect(() => toInstance(Booked, { ...erased, customerId: 7 }, true, true)).toThrow('customerId must be a string');
  });
});

describe('pointers to values', () => {
  it('come back as they were, whatever the names', () => {
    const paths = [['a b', 'c/d', '~1'], ['%', '0', 'é'], ['']];
    expect(pathsIn(pointersOf(paths))).toEqual(paths);
  });

  it('are refused when they are none', () => {
    for (const text of ['email', '', '/%zz'])
      expect(() => pathsIn(text)).toThrow('personaldata holds no JSON Pointers');
  });
});
