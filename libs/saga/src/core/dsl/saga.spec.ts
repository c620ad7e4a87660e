import { ConfigurationError, NonRetryableError } from '@millrace/broker';
import { Event } from '@millrace/messages';
import { replyClassesOf, stepsOf } from '../definition.js';
import type { StepNode } from '../definition.js';
import {
  CreditChecked,
  NotCreditworthy,
  OrderPlaced,
  OutOfStock,
  PaymentCaptured,
  PaymentDeclined,
  placeOrder,
  ReleaseStock,
  ReserveStock,
  StockReserved,
} from '../place-order.fixture.js';
import { saga } from './saga.js';
import type { CompensatableStep, NewStep } from './step.js';

interface State {
  orderId: string;
}
type ReserveStep = CompensatableStep<State, StockReserved, OutOfStock>;

const start = () => saga<State>().startsOn(OrderPlaced, ({ orderId }) => ({ orderId }));
const reserve = (s: NewStep<State>) => s.sends(({ orderId }) => new ReserveStock(orderId));
const complete = (step: ReserveStep) => step.onReply(StockReserved).failsOn(OutOfStock);
const described = (more: (step: ReserveStep) => ReserveStep): StepNode<State> =>
  stepsOf(
    start()
      .step('reserve stock', (s) => complete(more(reserve(s))))
      .named('place-order'),
  )[0]!;

describe('a saga definition', () => {
  it('lists its steps in order, with what they undo and where they only go forward', () => {
    expect(stepsOf(placeOrder).map(({ name, undo, untilDone }) => [name, undo !== undefined, untilDone])).toEqual([
      ['reserve stock', true, false],
      ['check credit', false, false],
      ['take payment', true, false],
      ['confirm order', false, true],
    ]);
  });

  it('names every reply class that it handles, once', () => {
    expect(replyClassesOf(placeOrder)).toEqual([
      StockReserved,
      OutOfStock,
      CreditChecked,
      NotCreditworthy,
      PaymentCaptured,
      PaymentDeclined,
    ]);
  });

  it('is not changed by describing another saga from its first steps', () => {
    const first = start().step('reserve stock', (s) => complete(reserve(s)));
    const second = first.step('reserve more', (s) => complete(reserve(s)));

    expect(stepsOf(first.named('one'))).toHaveLength(1);
    expect(stepsOf(second.named('two'))).toHaveLength(2);
  });

  it('identifies an instance by the key of the start event, or as told', () => {
    const other = saga<State>().startsOn(OrderPlaced, ({ orderId }) => ({ orderId }), { id: (e) => `o-${e.orderId}` });

    expect(placeOrder.start.id(new OrderPlaced('4711', 990))).toBe('4711');
    expect(
      other
        .step('reserve stock', (s) => complete(reserve(s)))
        .named('other')
        .start.id(new OrderPlaced('4711', 990)),
    ).toBe('o-4711');
  });

  it('refuses an event that identifies no instance, for good', () => {
    expect(() => placeOrder.start.id(new OrderPlaced('', 990))).toThrow(NonRetryableError);
  });
});

describe('a step', () => {
  it('has 30 s for its only attempt, unless told otherwise', () => {
    expect(described((s) => s).do).toMatchObject({ withinMs: 30_000, retry: { attempts: 1 } });
    expect(described((s) => s.within('1.5s').retries(3)).do).toMatchObject({
      withinMs: 1500,
      retry: { attempts: 4, delayMs: 0 },
    });
  });

  it('has 10 s for each of 10 attempts to be undone, unless told otherwise', () => {
    const undo = ({ orderId }: State) => new ReleaseStock(orderId);

    expect(described((s) => s.compensates(undo)).undo).toMatchObject({ withinMs: 10_000, retry: { attempts: 10 } });
    expect(described((s) => s.compensates(undo, { within: 50, attempts: 2 })).undo).toMatchObject({
      withinMs: 50,
      retry: { attempts: 2 },
    });
  });

  it('refuses with the type of the reply as the reason, unless told otherwise', () => {
    const handler = described((s) => s).replies.get('catalog.out-of-stock')!;

    expect('refuses' in handler && handler.refuses({ orderId: '1' }, new OutOfStock('tea'), undefined)).toBe(
      'catalog.out-of-stock',
    );
  });
});

describe('what cannot work is refused when it is described', () => {
  @Event('order.counted')
  class OrderCounted {
    count!: number;
  }

  const mistakes: readonly (readonly [string, RegExp, () => unknown])[] = [
    ['a saga without steps', /has no steps/, () => start().named('empty')],
    ['a name that cannot be part of a key', /cannot be used/, () => placeOrderNamed('Place Order')],
    [
      'two steps of one name',
      /two steps of saga 'x' are called 'a'/,
      () =>
        withStep('a', (s) => s)
          .step('a', reserveAll)
          .named('x'),
    ],
    ['a step without a name', /needs a name/, () => withStep(' ', (s) => s)],
    ['a step that sends nothing', /sends nothing/, () => start().step('a', (s) => s as never)],
    [
      'a deadline that is no duration',
      /deadline of step 'a'/,
      () => withStep('a', (s) => s.within('10 sheep' as '1s')),
    ],
    ['a deadline of nothing', /positive number/, () => withStep('a', (s) => s.within(0))],
    ['a deadline without end', /positive number/, () => withStep('a', (s) => s.within(Infinity))],
    ['half a retry', /whole number/, () => withStep('a', (s) => s.retries(0.5))],
    ['no attempt to undo', /at least 1/, () => withStep('a', (s) => s.compensates(undoAll, { attempts: 0 }))],
    ['a deadline said twice', /says twice/, () => withStep('a', (s) => s.within('1s').within('2s'))],
    ['a success that refuses', /use \.onReply/, () => withStep('a', (s) => s.failsOn(StockReserved as never))],
    ['a refusal that succeeds', /use \.failsOn/, () => withStep('a', (s) => s.onReply(OutOfStock as never))],
    ['an event as a reply', /is no reply/, () => withStep('a', (s) => s.onReply(OrderPlaced as never))],
    ['a reply as a start', /is a reply/, () => saga<object>().startsOn(StockReserved, () => ({}))],
    ['a branch that is not returned', /'a: x' describes nothing/, () => start().parallel('a', { x: () => 0 as never })],
    ['a parallel without branches', /'a' has no branches/, () => start().parallel('a', {})],
    ['a branch that cannot be part of an id', /branch "1" of 'a'/, () => start().parallel('a', { 1: (b) => b })],
    ['more branches than there are', /'a' joins 2 of its 1/, () => start().parallel('a', { x: (b) => b }, { join: 2 })],
    [
      'a list whose items need nothing',
      /'a' does nothing with its items/,
      () =>
        start().each(
          'a',
          () => [1],
          (b) => b,
        ),
    ],
    [
      'no item at once',
      /'a' has atOnce: 0/,
      () =>
        start().each(
          'a',
          () => [1],
          (b) => b.sleep('s', 1),
          { atOnce: 0 },
        ),
    ],
    ['a sleep of no time', /length of sleep 'a'/, () => start().sleep('a', 0)],
    ['a wait for what is no event', /'a' waits for .*, which is a command/, () => start().waitFor('a', ReserveStock)],
    [
      'a wait with two ends',
      /'a' has 'within' and 'orElse'/,
      () => start().waitFor('a', OrderPlaced, { within: 1, orElse: { within: 1 } }),
    ],
    [
      'a child that is no saga',
      /Unnamed is not a saga/,
      () => start().child('a', Unnamed, () => new OrderPlaced('1', 1)),
    ],
    [
      'a lock that does neither',
      /lock 'a' has otherwise: "go"/,
      () => start().lock('a', () => 'k', { otherwise: 'go' as 'wait' }),
    ],
    ['a name used in a branch before', /two steps of saga 'x' are called 'a'/, () => twiceInBranches().named('x')],
    [
      'a step after the pivot that may be refused',
      /step 'a' of saga 'x' is after the pivot: end it/,
      () => late((s) => s),
    ],
    [
      'a compensation after the pivot, in a branch too',
      /step 'a' of saga 'x' is after the pivot and compensated/,
      () => late((s) => s.compensates(undoAll)),
    ],
    ['two pivots', /are called 'pivot'/, () => untyped(untyped(start().sleep('a', 1).pivot()).pivot()).named('x')],
    ['an event without a key', /has no key/, () => saga<object>().startsOn(OrderCounted, () => ({}))],
  ];
  class Unnamed {
    readonly definition = start().sleep('s', 1);
  }
  const twiceInBranches = () => start().parallel('p', { x: (b) => b.sleep('a', 1), y: (b) => b.sleep('a', 1) });
  /** Whoever has no types can do more than is allowed. */
  const untyped = (saga: unknown) => saga as ReturnType<typeof start>;
  const late = (more: (step: ReserveStep) => unknown) =>
    untyped(start().pivot())
      .when(
        'late',
        () => true,
        (b) => b.step('a', (s) => complete(more(reserve(s)) as ReserveStep)),
      )
      .named('x');
  const reserveAll = (s: NewStep<State>) => complete(reserve(s));
  const undoAll = () => new ReleaseStock('1');
  const withStep = (name: string, more: (step: ReserveStep) => unknown) =>
    start().step(name, (s) => complete(more(reserve(s)) as ReserveStep));
  const placeOrderNamed = (name: string) => withStep('a', (s) => s).named(name);

  it.each(mistakes)('%s', (_, message, describe) => {
    expect(describe).toThrow(ConfigurationError);
    expect(describe).toThrow(message);
  });
});
