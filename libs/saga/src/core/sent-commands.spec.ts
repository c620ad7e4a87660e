import { Command, Reply, Schema } from '@millrace/messages';
import { z } from 'zod';
import {
  ConfirmOrder,
  OrderPlaced,
  ReleaseStock,
  ReserveStock,
  OutOfStock,
  StockReserved,
} from './place-order.fixture.js';
import { saga } from './dsl/saga.js';
import { commandClassesOf } from './sent-commands.js';

interface State {
  orderId: string;
  lines: { sku: string }[];
}

@Reply('shop.done')
class Done {}

@Command('shop.pack')
class Pack extends Schema(z.object({ skus: z.array(z.string()).min(1) }))<Done> {}

const start = saga<State>().startsOn(OrderPlaced, ({ orderId }) => ({ orderId, lines: [] }));

describe('the commands of a saga', () => {
  it('are known by their classes, also those that undo and the last one', () => {
    const definition = start
      .step('reserve', (s) =>
        s
          .sends(({ orderId }) => new ReserveStock(orderId.toUpperCase()))
          .onReply(StockReserved)
          .failsOn(OutOfStock)
          .compensates(({ orderId }) => new ReleaseStock(`${orderId}`)),
      )
      .onCompensated(({ lines }, { reason }) => new ConfirmOrder(lines.map(({ sku }) => sku).join(), reason))
      .named('buy');
    expect(commandClassesOf(definition)).toEqual([ReserveStock, ReleaseStock, ConfirmOrder]);
  });

  it('are known when a schema refuses what they are made of', () => {
    const definition = start
      .step('pack', (s) => s.sends(({ lines }) => new Pack({ skus: [...lines].map(({ sku }) => sku) })).onReply(Done))
      .named('buy');
    expect(commandClassesOf(definition)).toEqual([Pack]);
  });

  it('are not known when they cannot be made without a real state', () => {
    const definition = start
      .step('pack', (s) =>
        s
          .sends(({ lines }) => {
            if (lines.length !== 1) throw new RangeError('one line only');
            return new Pack({ skus: [] });
          })
          .onReply(Done),
      )
      .named('buy');
    expect(commandClassesOf(definition)).toEqual([]);
  });
});
