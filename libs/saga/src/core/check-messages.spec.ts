import type { Broker } from '@millrace/broker';
import { Command, Event, Reply } from '@millrace/messages';
import { checkMessages } from './check-messages.js';
import type { SagaDefinition } from './definition.js';
import { saga } from './dsl/saga.js';
import { OrderPlaced, RejectOrder, ReserveStock, StockReserved, OutOfStock } from './place-order.fixture.js';
import { sagaOf } from './code/saga-of.js';

@Event('shop.sold')
class Sold {}

@Event('warehouse.emptied')
class Emptied {}

@Reply('shop.bought')
class Bought {}

@Command('shop.buy', { key: 'order' })
class Buy extends Command<Bought> {
  readonly order: string = '';
}

interface State {
  readonly orderId: string;
}

const shop = (outbound: readonly { readonly from: readonly string[] }[] = []) =>
  ({ context: 'shop', transforms: { inbound: [], outbound, stored: [] } }) as unknown as Broker;
const started = () =>
  saga<State>()
    .startsOn(OrderPlaced, ({ orderId }) => ({ orderId }))
    .step('reserve', (s) =>
      s
        .sends(({ orderId }) => new ReserveStock(orderId))
        .onReply(StockReserved)
        .failsOn(OutOfStock),
    );
const asked = () =>
  saga<State>()
    .startsOn(Buy, ({ order }) => ({ orderId: order }))
    .step('note', (s) => s.calls(() => undefined));
const check = (definition: unknown, broker = shop()) => checkMessages(definition as SagaDefinition, broker);

describe('what a saga says at an end', () => {
  const ends = ['onCompleted', 'onCompensated', 'onParked'] as const;

  it.each(ends)('is no event of another context: %s is named, with its saga', (end) => {
    const definition = started()
      [end](() => new Emptied())
      .named('buy');

    expect(() => check(definition)).toThrow(
      `${end} of saga 'buy' publishes warehouse.emptied, an event of context 'warehouse', and this service is 'shop'`,
    );
    expect(() =>
      check(
        started()
          [end](() => new Sold())
          .named('buy'),
      ),
    ).not.toThrow();
  });

  it.each(ends)('may be a command to any context: %s', (end) => {
    const definition = started()
      [end](({ orderId }) => new RejectOrder(orderId, 'no'))
      .named('buy');

    expect(() => check(definition)).not.toThrow();
  });

  it('may be an event of another context that a transform makes an own one of', () => {
    const definition = started()
      .onCompleted(() => new Emptied())
      .named('buy');

    expect(() => check(definition, shop([{ from: ['warehouse.emptied'] }]))).not.toThrow();
    expect(() => check(definition, shop([{ from: ['warehouse.filled'] }]))).toThrow('warehouse.emptied');
  });

  it('is a reply only of a saga that starts on a command, and not while it is parked', () => {
    expect(() =>
      check(
        asked()
          .onCompleted(() => new Bought())
          .named('buy'),
      ),
    ).not.toThrow();
    expect(() =>
      check(
        started()
          .onCompleted(() => new Bought())
          .named('buy'),
      ),
    ).toThrow(`onCompleted of saga 'buy' answers with shop.bought, and nobody has asked`);
    expect(() =>
      check(
        asked()
          .onParked(() => new Bought())
          .named('buy'),
      ),
    ).toThrow(`onParked of saga 'buy' answers with shop.bought: a saga that is parked has not ended`);
  });

  it('is checked for sagas in code, too', () => {
    const definition = sagaOf(OrderPlaced, async () => 1)
      .onCompleted(() => new Emptied())
      .named('coded');

    expect(() => check(definition)).toThrow(`onCompleted of saga 'coded' publishes warehouse.emptied`);
  });

  it('is not known when it is made of a real state only', () => {
    const definition = started()
      .onCompleted(({ orderId }) => {
        if (!/^o\d+$/.test(orderId)) throw new RangeError(orderId);
        return new Emptied();
      })
      .named('buy');

    expect(() => check(definition)).not.toThrow();
  });
});

describe('what a step sends', () => {
  it('is a command, also to undo it', () => {
    const sends = started().step('tell', (s) => s.sends(() => new Sold() as never).onReply(Bought as never));
    const undoes = started().step('hold', (s) =>
      s
        .sends(({ orderId }) => new ReserveStock(orderId))
        .onReply(StockReserved)
        .failsOn(OutOfStock)
        .compensates(() => new Sold() as never),
    );

    expect(() => check((sends as ReturnType<typeof started>).named('buy'))).toThrow(
      `step 'tell' of saga 'buy' sends shop.sold, an event: only a command is answered`,
    );
    expect(() => check(undoes.named('buy'))).toThrow(`step 'hold' of saga 'buy' is undone by shop.sold, an event`);
  });
});
