import { setTimeout as delay } from 'node:timers/promises';
import { Broker, connectionToken, InMemoryPartitionStore } from '@millrace/broker';
import { Event } from '@millrace/messages';
import { Injectable, Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Aggregate, AggregateRoot } from '../core/aggregate.js';
import { Apply } from '../core/apply.js';
import { decider } from '../core/decider.js';
import { EventStore } from '../core/event-store.js';
import { Projection, Projects } from '../core/projection.js';
import { Repository } from '../core/repository.js';
import { ReadView } from '../core/read-view.js';
import type { RepositoryOf } from '../core/repository.js';
import type { View } from '../core/view.js';
import { EventStoreModule } from './event-store.module.js';
import { getRepositoryToken, InjectRepository, InjectView } from './inject.js';
import { Projections } from './projections.js';

@Event('garden.planted')
class Planted {}

@Aggregate('bed')
class Bed extends AggregateRoot {
  plant(): void {
    this.record(new Planted());
  }
  @Apply(Planted) protected planted(): void {}
}

const pot = decider({
  name: 'pot',
  initial: () => 0,
  evolve: (on) => [on(Planted, (plants) => plants + 1)],
  decide: (plants: number) => Array.from({ length: plants }, () => new Planted()),
});

@Injectable()
class Clerk {
  readonly one = 1;
}

@Projection('plants')
class Plants {
  constructor(private readonly clerk: Clerk) {}
  @Projects(Planted) async planted(_event: Planted, view: View<number>): Promise<void> {
    await view.update('all', (row = 0) => row + this.clerk.one);
  }
}

@Injectable()
class Gardener {
  constructor(
    @InjectRepository(Bed) readonly beds: Repository<Bed>,
    @InjectView(Plants) readonly plants: ReadView<number>,
  ) {}
}

@Module({ providers: [Clerk], exports: [Clerk] })
class ClerkModule {}

const broker = new Broker(new InMemoryPartitionStore(), { context: 'garden' });
const BrokerStub: DynamicModule = {
  module: class BrokerStub {},
  global: true,
  providers: [{ provide: Broker, useValue: broker }, Clerk],
  exports: [Broker, Clerk],
};

const start = async (...features: DynamicModule[]) => {
  const module = await Test.createTestingModule({
    imports: [BrokerStub, ClerkModule, ...features],
    providers: [Gardener],
  }).compile();
  return module.init();
};

describe('the event store module', () => {
  it('provides repositories and views, and runs projections until the application closes', async () => {
    const app = await start(EventStoreModule.forFeature({ aggregates: [Bed], projections: [Plants] }));
    const { beds, plants } = app.get(Gardener);
    await beds.change('roses', (bed) => bed.plant());
    while ((await plants.get('all')) !== 1) await delay(5);
    await app.close();
    await beds.change('roses', (bed) => bed.plant());
    expect(app.get(Projections).status()).toHaveLength(broker.partitions);
    expect(await plants.get('all')).toBe(1);
  });

  it('provides repositories of deciders', async () => {
    const app = await start(EventStoreModule.forFeature({ aggregates: [Bed, pot], projections: [Plants] }));
    const pots = app.get<RepositoryOf<typeof pot>>(getRepositoryToken(pot));
    expect(await pots.decide('p1', 3)).toMatchObject({ state: 3, version: 3 });
    expect((await pots.load('p1')).state).toBe(3);
    await app.close();
  });

  it('provides the event store, which knows the events of aggregates and those that any module declares', async () => {
    @Event('garden.watered')
    class Watered {}
    @Injectable()
    class Diary {
      constructor(readonly events: EventStore) {}
    }
    const Writing: DynamicModule = {
      module: class Writing {},
      imports: [EventStoreModule.forFeature({ events: [Watered] })],
      providers: [Diary],
    };
    const app = await start(EventStoreModule.forFeature({ aggregates: [Bed], projections: [Plants] }), Writing);
    const { events } = app.get(Diary, { strict: false });
    await app.get(Gardener).beds.change('tulips', (bed) => bed.plant());
    expect(await events.append('bed-tulips', [new Watered()], { expected: 1 })).toMatchObject({ version: 2 });
    const types: string[] = [];
    for await (const { data } of events.read('bed-tulips')) types.push(data.constructor.name);
    expect(types).toEqual(['Planted', 'Watered']);
    await app.close();
  });

  it('provides the event store of a named connection under its name', async () => {
    const other = new Broker(new InMemoryPartitionStore(), { context: 'orchard' });
    const Named: DynamicModule = {
      module: class Named {},
      global: true,
      providers: [{ provide: connectionToken(Broker, 'orchard'), useValue: other }],
      exports: [connectionToken(Broker, 'orchard')],
    };
    const feature = EventStoreModule.forFeature({ aggregates: [Bed], projections: [Plants] });
    const app = await start(feature, Named, EventStoreModule.forFeature({ events: [Planted], broker: 'orchard' }));
    const events = app.get<EventStore>(connectionToken(EventStore, 'orchard'), { strict: false });
    await events.append('tree-1', [new Planted()]);
    expect((await other.store.readStream(other.partitionFor('1'), 'tree-1')).version).toBe(1);
    await app.close();
  });

  it('lets several modules declare the same aggregate', async () => {
    const app = await start(
      EventStoreModule.forFeature({ aggregates: [Bed], projections: [Plants] }),
      EventStoreModule.forFeature({ aggregates: [Bed] }),
    );
    await app.close();
  });

  it('refuses to start with two aggregates of one name', async () => {
    @Aggregate('bed')
    class Sofa extends AggregateRoot {}
    const starting = start(
      EventStoreModule.forFeature({ aggregates: [Bed], projections: [Plants] }),
      EventStoreModule.forFeature({ aggregates: [Sofa] }),
    );
    await expect(starting).rejects.toThrow("aggregates Bed and Sofa are both named 'bed'");
    const other = decider({ name: 'pot', initial: () => 0, evolve: () => [], decide: () => [] });
    expect(() => EventStoreModule.forFeature({ aggregates: [pot, other] })).toThrow(
      "aggregates decider 'pot' and decider 'pot' are both named 'pot'",
    );
  });

  it('refuses to start with one projection twice', async () => {
    const feature = { aggregates: [Bed], projections: [Plants] };
    const starting = start(
      EventStoreModule.forFeature(feature),
      EventStoreModule.forFeature({ ...feature, aggregates: [] }),
    );
    await expect(starting).rejects.toThrow('projection plants.v1 is declared twice');
  });

  it('chains the streams that its modules declare', async () => {
    const app = await start(
      EventStoreModule.forFeature({ aggregates: [Bed], projections: [Plants], chain: { bed: true } }),
      EventStoreModule.forFeature({ events: [Planted], chain: { tree: true } }),
    );
    const events = app.get(EventStore, { strict: false });
    await app.get(Gardener).beds.change('chained', (bed) => bed.plant());
    for (const stream of ['tree-chained', 'herb-chained']) await events.append(stream, [new Planted()]);
    const found = ['bed', 'tree', 'herb'].map(async (name) => (await events.verify(`${name}-chained`)).status);
    expect(await Promise.all(found)).toEqual(['intact', 'intact', 'unchained']);
    await app.close();
    expect(() => EventStoreModule.forFeature({ chain: 'all' as never })).toThrow(
      "EventStoreModule.forFeature has chain: 'all'; it must be one of true, 'continue', or one of them for each category",
    );
  });

  it('refuses classes without their decorators', () => {
    class Sofa extends AggregateRoot {}
    class Chair {}
    expect(() => EventStoreModule.forFeature({ aggregates: [Sofa] })).toThrow('Sofa is not an aggregate');
    expect(() => EventStoreModule.forFeature({ projections: [Chair] })).toThrow('Chair is not a projection');
  });
});
