import { Broker, InMemoryPartitionStore } from '@millrace/broker';
import { Event } from '@millrace/messages';
import { renamed, retired } from '@millrace/transforms';
import { Aggregate, AggregateRoot } from './aggregate.js';
import { Apply } from './apply.js';
import { Repository } from './repository.js';

@Event('lamp.lit')
class Lit {}

@Aggregate('lamp')
class Lamp extends AggregateRoot {
  lit = 0;
  light(): void {
    this.record(new Lit());
  }
  @Apply(Lit) protected onLit(): void {
    this.lit++;
  }
}

describe('stored events of other times', () => {
  let broker: Broker;
  let lamps: Repository<Lamp>;
  beforeEach(async () => {
    broker = new Broker(new InMemoryPartitionStore(), { context: 'lamp', partitions: 1 });
    lamps = new Repository(broker, Lamp);
    const events = ['lamp.kindled', 'lamp.flagged', 'lamp.lit'].map((type, i) =>
      JSON.stringify({ specversion: '1.0', id: `e${i}`, source: '/lamp', type, data: {} }),
    );
    await broker.commit({
      partition: broker.partitionFor('a'),
      guards: [],
      writes: [{ kind: 'append', stream: 'lamp-a', events }],
    });
  });

  it('are applied under their new name, and passed where they mean nothing any more, and count all the same', async () => {
    broker.addTransforms({ stored: [renamed('lamp.kindled', Lit), retired('lamp.flagged')] });
    expect(await lamps.load('a')).toMatchObject({ lit: 2, version: 3 });
    await lamps.change('a', (lamp) => lamp.light());
    expect(await lamps.load('a')).toMatchObject({ lit: 3, version: 4 });
  });

  it('are an error that says what to do, when nobody has said what they are', async () => {
    broker.addTransforms({ stored: [renamed('lamp.kindled', Lit)] });
    await expect(lamps.load('a')).rejects.toThrow("lamp.flagged', ...), or retired('lamp.flagged') to pass it");
  });

  it('cannot be retired and applied', async () => {
    broker.addTransforms({ stored: [renamed('lamp.kindled', Lit), retired('lamp.lit'), retired('lamp.flagged')] });
    await expect(lamps.load('a')).rejects.toThrow('lamp.lit is retired, and Lamp applies it: keep one');
  });
});
