import { Aggregate, AggregateRoot, decider, refuse } from '@millrace/event-store';
import { specify } from './specify.js';

class Filled {
  constructor(readonly quantity: number) {}
}
class Burnt {
  constructor(readonly reason: string) {}
}

const shelf = decider({
  name: 'shelf',
  initial: () => 0,
  evolve: (on) => [on(Filled, (sum, { quantity }) => sum + quantity)],
  decide: (fill: number) => (fill > 0 ? new Filled(fill) : refuse({ tooLittle: fill })),
});

const sum: number = specify(shelf).given(new Filled(1)).when(2).then(new Filled(2)).aggregate.state;
specify(shelf).given().when(-1).thenRefuses({ tooLittle: sum });

// @ts-expect-error -- no event of this decider
specify(shelf).given(new Burnt('by accident'));

// @ts-expect-error -- no command of this decider
specify(shelf).given().when('fill');

// @ts-expect-error -- no event of this decider
specify(shelf).given().when(1).then(new Burnt('by accident'));

// @ts-expect-error -- no refusal of this decider
specify(shelf).given().when(1).thenRefuses({ tooMuch: 1 });

@Aggregate('box')
class Box extends AggregateRoot {
  weigh(): { readonly grams: number } {
    return { grams: this.version };
  }
}

const grams: number = specify(Box)
  .given()
  .when((box) => box.weigh())
  .then().answer.grams;
specify(Box)
  .given()
  .when((box) => box.weigh())
  .thenRefuses({ grams });

// @ts-expect-error -- no method of this class
specify(Box).given().when((box) => box.burn()); // prettier-ignore
