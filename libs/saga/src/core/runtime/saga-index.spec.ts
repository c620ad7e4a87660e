import { Broker } from '@millrace/broker';
import { OrderPlaced, placeOrder } from '../place-order.fixture.js';
import type { PlaceOrderState } from '../place-order.fixture.js';
import { SagaDefinitions } from './saga-definitions.js';
import { SagaInstances } from './saga-instances.js';
import { SagaQueries } from './saga-queries.js';
import { STORES } from './service.fixture.js';

describe.each(STORES)('where sagas are listed, on %s', (_name, open) => {
  it('follows the business keys, also when other code gives other keys', async () => {
    const store = open();
    const service = (keys: (state: PlaceOrderState) => Record<string, string>) => {
      const broker = new Broker(store, { context: 'order', partitions: 2 });
      const definitions = new SagaDefinitions();
      definitions.add({ ...placeOrder, keys });
      const instances = new SagaInstances(broker, definitions);
      const queries = new SagaQueries(broker, instances);
      const found = async (name: string, value: string) =>
        (await queries.list('place-order', { key: { [name]: value } })).sagas.map(({ id }) => id);
      return { instances, found };
    };
    const before = service(({ total }) => ({ total: String(total), size: total > 100 ? 'big' : 'small' }));
    await before.instances.act('place-order', '4711', {
      kind: 'start',
      id: '4711',
      input: new OrderPlaced('4711', 990),
    });
    expect([await before.found('total', '990'), await before.found('size', 'big')]).toEqual([['4711'], ['4711']]);
    const after = service(({ orderId, total }) => ({ order: orderId, total: String(total) }));
    await after.instances.act('place-order', '4711', { kind: 'cancel', by: 'ann', why: 'asked' });
    expect([await after.found('total', '990'), await after.found('order', '4711')]).toEqual([['4711'], ['4711']]);
    expect(await after.found('size', 'big')).toEqual([]);
    await store.close();
  });
});
