import { Aggregate, AggregateRoot, Apply, decider, refuse } from '@millrace/event-store';
import { Event, MessageError, Reply } from '@millrace/messages';
import { IsInt, Min } from 'class-validator';
import { specify } from './specify.js';

@Event('shelf.filled')
class Filled {
  @IsInt() @Min(1) readonly quantity: number;
  constructor(quantity: number) {
    this.quantity = quantity;
  }
}

@Event('shelf.emptied')
class Emptied {
  constructor(readonly by: string) {}
}

@Event('shelf.burnt')
class Burnt {}

@Reply('shelf.too-little', { failure: true })
class TooLittle {
  constructor(readonly left: number) {}
}

type Order = { readonly fill: number } | { readonly empty: string };

const shelf = decider({
  name: 'shelf',
  initial: () => ({ quantity: 0 }),
  evolve: (on) => [
    on(Filled, ({ quantity }, filled) => ({ quantity: quantity + filled.quantity })),
    on(Emptied, () => ({ quantity: 0 })),
  ],
  decide: (order: Order, { quantity }) => {
    if ('fill' in order) return new Filled(order.fill);
    if (order.empty === 'a ghost') throw new TypeError('there are no ghosts');
    return quantity === 0 ? refuse(new TooLittle(quantity)) : [new Emptied(order.empty)];
  },
});

@Aggregate('shelf')
class Shelf extends AggregateRoot {
  quantity = 0;

  fill(quantity: number): void {
    this.record(new Filled(quantity));
    if (quantity > 9) throw new RangeError(`${this.id} breaks`);
  }

  empty(by: string): string | TooLittle {
    if (this.quantity === 0) return new TooLittle(0);
    this.record(new Emptied(by));
    return `emptied at ${this.version}`;
  }

  @Apply(Filled) protected filled(event: Filled): void {
    this.quantity += event.quantity;
  }

  @Apply(Emptied) protected emptied(): void {
    this.quantity = 0;
  }
}

describe('the specification of a decider', () => {
  const { given } = specify(shelf);

  it('holds when exactly these events happen', () => {
    const { aggregate, answer } = given(new Filled(2)).when({ empty: 'Ann' }).then(new Emptied('Ann'));
    expect(aggregate).toMatchObject({ id: 'a', version: 2, state: { quantity: 0 } });
    expect(answer.refusal).toBeUndefined();
  });

  it('shows what happens instead', () => {
    const emptying = given(new Filled(2)).when({ empty: 'Ann' });
    expect(() => emptying.then(new Emptied('Bob'))).toThrow(/'shelf' lets something else happen.*\+ is.*'Ann'.*'Bob'/s);
    expect(() => emptying.then()).toThrow('something else');
    expect(() => emptying.then(new Filled(2))).toThrow('something else');
    expect(() => emptying.thenRefuses(new TooLittle(2))).toThrow(/does not refuse: .*Emptied/);
    expect(() => given().when({ empty: 'Ann' }).then(new Emptied('Ann'))).toThrow(/nothing happen.*TooLittle/s);
  });

  it('holds when it refuses for this reason', () => {
    const refusing = given().when({ empty: 'Ann' });
    refusing.thenRefuses(new TooLittle(0));
    refusing.then();
    expect(() => refusing.thenRefuses(new TooLittle(1))).toThrow('refuses for another reason, or not at all');
    expect(() => given().when({ empty: 'a ghost' }).thenRefuses(new TooLittle(0))).toThrow('there are no ghosts');
  });

  it('checks events by their contracts, those given and those that happen', () => {
    expect(() => given(new Filled(0)).when({ fill: 1 })).toThrow(MessageError);
    expect(() => given().when({ fill: 0 })).toThrow(MessageError);
    // To the compiler a class without properties is any other.
    const strange = new Burnt() as Emptied;
    expect(() => given(strange).when({ fill: 1 })).toThrow(
      "decider 'shelf' is given shelf.burnt, but does not evolve on it: add on(Burnt)",
    );
  });
});

describe('the specification of a class', () => {
  const { given } = specify(Shelf, 'top');

  it('holds when exactly these events are recorded', () => {
    const { aggregate, answer } = given(new Filled(2))
      .when((top) => top.empty('Ann'))
      .then(new Emptied('Ann'));
    expect(answer).toBe('emptied at 2');
    expect(aggregate).toMatchObject({ id: 'top', quantity: 0 });
  });

  it('holds when a method answers that it refuses', () => {
    const refusing = given().when((top) => top.empty('Ann'));
    refusing.thenRefuses(new TooLittle(0));
    expect(() => refusing.thenRefuses(new TooLittle(3))).toThrow('another reason');
  });

  it.each([['top breaks'], [/^top/], [RangeError], [new RangeError('top breaks')]])(
    'holds when it throws %p',
    (why) => {
      given()
        .when((top) => top.fill(10))
        .thenRefuses(why);
    },
  );

  it.each([['bottom'], [/^bottom/], [TypeError], [new RangeError('top')], [new TypeError('top breaks')]])(
    'does not hold when it throws something else than %p',
    (why) => {
      const filling = given().when((top) => top.fill(10));
      expect(() => filling.thenRefuses(why)).toThrow(/throws RangeError: top breaks.*, not /s);
      expect(() => filling.then(new Filled(10))).toThrow('throws RangeError: top breaks');
    },
  );

  it('waits for nothing', () => {
    expect(() => given().when(async (top) => top.empty('Ann'))).toThrow('decides in a promise');
  });

  it('begins the stack of what does not hold at its own line', () => {
    const stackOf = (check: () => void): string | undefined => {
      try {
        check();
      } catch (error) {
        return (error as Error).stack;
      }
      return undefined;
    };
    const filling = given().when((top) => top.fill(1));
    expect(stackOf(() => filling.then())?.match(/^ +at .*$/m)?.[0]).toContain('specify.spec');
  });
});
