import { Broker, InMemoryPartitionStore } from '@millrace/broker';
import { Repository } from '@millrace/event-store';
import { goldenHistory, specify } from '@millrace/testing';
import { ProductAdded, StockHeld, StockReturned } from '@shop/contracts/catalog';
import { catalogHistory } from '@shop/contracts/catalog-history';
import { Money } from '@shop/contracts/money';
import { Product } from './product.js';

describe('a product', () => {
  const added = { sku: 'cup', name: 'Cup', price: new Money(900, 'EUR'), stock: 200 };

  it('is held for an order once, and given back once', () => {
    const { given } = specify(Product, 'cup');
    const held = new StockHeld({ sku: 'cup', orderId: 'o1', quantity: 2 });
    const returned = new StockReturned({ sku: 'cup', orderId: 'o1', quantity: 2 });
    given(new ProductAdded(added)).when((cup) => cup.hold('o1', 2)).then(held); // prettier-ignore
    given(new ProductAdded(added), held).when((cup) => cup.hold('o1', 2)).then(); // prettier-ignore
    given(new ProductAdded(added), held).when((cup) => cup.giveBack('o1')).then(returned); // prettier-ignore
    given(new ProductAdded(added), held, returned).when((cup) => cup.giveBack('o1')).then(); // prettier-ignore
  });

  it('is the same from its snapshot as from its events', async () => {
    const broker = new Broker(new InMemoryPartitionStore(), { context: 'catalog', partitions: 1 });
    const products = new Repository(broker, Product);
    await products.change('cup', (cup) => cup.add(added));
    for (let order = 0; order < 120; order++) await products.change('cup', (cup) => cup.hold(`o${order}`, 1));
    expect(await broker.store.readState(broker.partitionFor('cup'), 'snapshot.product-cup')).toBeDefined();

    const loaded = await new Repository(broker, Product).load('cup');
    await broker.commit({
      partition: broker.partitionFor('cup'),
      guards: [],
      writes: [{ kind: 'delete', state: 'snapshot.product-cup' }],
    });
    const replayed = await new Repository(broker, Product).load('cup');
    expect(replayed).toMatchObject({ available: 80, price: added.price, version: 121 });
    expect(loaded).toEqual(replayed);
    expect(loaded.toSnapshot()).toEqual(replayed.toSnapshot());
  });

  it('is today what its oldest stored events make of it', () => {
    const products = goldenHistory('test/golden').fold(Product, catalogHistory);
    expect(products.get('mug')).toMatchObject({ name: 'Mug', price: new Money(1290, 'EUR'), available: 18, orders: 1 });
    expect(products.get('pen')).toMatchObject({ name: 'Pen', price: new Money(250, 'CHF'), available: 5, version: 1 });
  });
});
