import { Broker, InMemoryPartitionStore } from '@millrace/broker';
import { ReadView } from './view.js';

describe('a view', () => {
  const broker = new Broker(new InMemoryPartitionStore(), { context: 'library', partitions: 4 });
  const view = new ReadView<{ title: string }>(broker, 'books.v1');
  const write = (index: number, id: string, title: string) =>
    broker.commit({
      partition: { context: 'library', index },
      guards: [],
      writes: [{ kind: 'row', view: 'books.v1', id, value: JSON.stringify({ title }) }],
    });

  it('finds a row in whichever partition its events are', async () => {
    const home = broker.partitionFor('emma').index;
    await write((home + 1) % 4, 'emma', 'Emma');
    await write(broker.partitionFor('dune').index, 'dune', 'Dune');
    expect(await view.get('emma')).toEqual({ title: 'Emma' });
    expect(await view.get('dune')).toEqual({ title: 'Dune' });
    expect(await view.get('none')).toBeUndefined();
    expect((await view.list()).map((row) => row.title).sort()).toEqual(['Dune', 'Emma']);
  });
});
