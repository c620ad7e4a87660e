import { Broker, InMemoryPartitionStore, UnitOfWork } from '@millrace/broker';
import { Repository } from '@millrace/event-store';
import { decode } from '@millrace/messages';
import {
  OutOfStock,
  ReleaseStock,
  ReserveStock,
  StockLine,
  StockReleased,
  StockReserved,
} from '@shop/contracts/catalog';
import { Money } from '@shop/contracts/money';
import { Product } from '../domain/product.js';
import { reservation } from '../domain/reservation.js';
import { StockHandlers } from './stock-handlers.js';

describe('stock', () => {
  let broker: Broker;
  let products: Repository<Product>;
  let handlers: StockHandlers;

  beforeEach(async () => {
    broker = new Broker(new InMemoryPartitionStore(), { context: 'catalog', partitions: 1 });
    products = new Repository(broker, Product);
    handlers = new StockHandlers(products, new Repository(broker, reservation));
    for (const sku of ['cup', 'mug']) {
      await products.change(sku, (product) => product.add({ sku, name: sku, price: new Money(1, 'EUR'), stock: 5 }));
    }
  });

  /** As the broker does it: what the handler decides is one commit. */
  const handle = async <R>(work: () => Promise<R>): Promise<R> => {
    const unit = new UnitOfWork();
    const reply = await unit.run(work);
    await broker.commit(await unit.toCommit(broker.partitionFor('')));
    return reply;
  };
  const reserve = (orderId: string, ...lines: [string, number][]) =>
    handle(() =>
      handlers.reserve(new ReserveStock({ orderId, lines: lines.map(([sku, n]) => new StockLine(sku, n)) })),
    );
  const release = (orderId: string) => handle(() => handlers.release(new ReleaseStock({ orderId })));
  const available = async (sku: string) => (await products.load(sku)).available;
  const feed = async () =>
    (await broker.store.readFeed(broker.partitionFor(''), 2, 99)).map((entry) => decode(entry.fields, entry.id).type);

  it('is held for all lines of an order', async () => {
    expect(await reserve('o1', ['cup', 5], ['mug', 1])).toEqual(new StockReserved({ orderId: 'o1' }));
    expect([await available('cup'), await available('mug')]).toEqual([0, 4]);
    expect(await feed()).toEqual(['catalog.stock-held', 'catalog.stock-held', 'catalog.reservation-made']);
  });

  it('is held for no line when one is short', async () => {
    const refusal = new OutOfStock({ orderId: 'o1', reason: 'mug: 6 wanted, 5 available' });
    expect(await reserve('o1', ['cup', 5], ['mug', 6])).toEqual(refusal);
    expect([await available('cup'), await available('mug')]).toEqual([5, 5]);
    expect(await feed()).toEqual(['catalog.reservation-refused']);
    expect(await reserve('o2', ['spoon', 1])).toMatchObject({ reason: 'spoon: 1 wanted, 0 available' });
  });

  it('is held once however often it is asked for, and the first refusal stays', async () => {
    await reserve('o1', ['cup', 3]);
    expect(await reserve('o1', ['cup', 3])).toBeInstanceOf(StockReserved);
    expect(await available('cup')).toBe(2);
    await reserve('o2', ['cup', 3]);
    await release('o1');
    expect(await reserve('o2', ['cup', 3])).toBeInstanceOf(OutOfStock);
    expect(await available('cup')).toBe(5);
  });

  it('goes back to the shelf once', async () => {
    await reserve('o1', ['cup', 3], ['mug', 1]);
    expect(await release('o1')).toEqual(new StockReleased({ orderId: 'o1' }));
    expect(await release('o1')).toBeInstanceOf(StockReleased);
    expect([await available('cup'), await available('mug')]).toEqual([5, 5]);
    expect((await feed()).slice(3)).toEqual([
      'catalog.reservation-released',
      'catalog.stock-returned',
      'catalog.stock-returned',
    ]);
  });

  it('is not held for an order that was released before', async () => {
    await release('o1');
    expect(await reserve('o1', ['cup', 1])).toMatchObject({
      reason: 'the reservation was released before it was made',
    });
    expect(await available('cup')).toBe(5);
    expect(await feed()).toEqual(['catalog.reservation-released']);
  });
});
