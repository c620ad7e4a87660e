import { Inject, Injectable, Module } from '@nestjs/common';
import type { ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { TestingModuleBuilder } from '@nestjs/testing';
import {
  Broker,
  BrokerModule,
  connectionToken,
  Handles,
  InjectBroker,
  InjectFrom,
  InjectPublisher,
  InMemoryPartitionStore,
  On,
  OPEN_STORE,
  PARTITION_STORE,
  Publisher,
  Subscriber,
} from '@millrace/broker';
import type { BrokerModuleOptions, BrokerOptionsFactory } from '@millrace/broker';
import {
  Aggregate,
  AggregateRoot,
  Apply,
  EventStoreModule,
  getRepositoryToken,
  InjectRepository,
  InjectView,
  Projection,
  Projects,
  ReadView,
  Repository,
} from '@millrace/event-store';
import type { View } from '@millrace/event-store';
import { Command, Event, Reply } from '@millrace/messages';
import { Saga, saga, SagaModule, Sagas } from '@millrace/saga';
import { translate } from '@millrace/transforms';
import { IsInt, IsString } from 'class-validator';
import { eventually, onTestFinished } from '../support/redis.js';
import { inRedis } from '../support/store.js';

@Event('desk.asked')
class Asked {
  @IsInt() count = 0;
}

@Event('billing.paid')
class Paid {
  @IsInt() cents = 0;
}

@Reply('billing.reminded')
class Reminded {}

@Command('billing.remind')
class Remind extends Command<Reminded> {}

@Reply('desk.answered')
class Answered {}

@Command('desk.ask')
class Ask extends Command<Answered> {
  @IsString() who = 'somebody';
}

@Command('hall.ask')
class AskHall extends Command<Answered> {
  @IsString() name = 'somebody';
}

const log: string[] = [];
beforeEach(() => {
  log.length = 0;
});

async function start(metadata: ModuleMetadata, change = (builder: TestingModuleBuilder) => builder) {
  const app = (await change(Test.createTestingModule(metadata)).compile()).createNestApplication({ logger: false });
  onTestFinished(() => app.close());
  await app.init();
  return app;
}

const fresh = (context: string): BrokerModuleOptions => ({ context, partitions: 1, ...inRedis() });

@Injectable()
class DeskClerk {
  @On(Asked) asked({ count }: Asked): void {
    log.push(`asked ${count}`);
  }
}

describe('several connections of one application', () => {
  @Injectable()
  class Cashier {
    constructor(
      @InjectPublisher('billing') readonly billing: Publisher,
      @InjectPublisher() readonly desk: Publisher,
      readonly same: Publisher,
      @InjectBroker('billing') readonly broker: Broker,
      @InjectFrom('billing', Subscriber) readonly subscriber: Subscriber,
    ) {}

    @On(Paid, { broker: 'billing' }) async paid({ cents }: Paid): Promise<void> {
      log.push(`paid ${cents}`);
      await this.desk.publish(Object.assign(new Asked(), { count: cents }));
    }
  }

  it('each have their services, and the handlers that name them', async () => {
    const app = await start({
      imports: [
        BrokerModule.forRoot(fresh('desk')),
        BrokerModule.forRootAsync({ name: 'billing', useFactory: () => fresh('billing') }),
      ],
      providers: [Cashier, DeskClerk],
    });
    const cashier = app.get(Cashier);
    expect(cashier.broker.context).toBe('billing');
    expect(cashier.same).toBe(cashier.desk);
    expect(cashier.subscriber).not.toBe(app.get(Subscriber));
    await cashier.billing.publish(Object.assign(new Paid(), { cents: 250 }));
    await eventually(() => expect(log).toEqual(['paid 250', 'asked 250']));
  });

  it('have transforms of their own', async () => {
    @Injectable()
    class Porter {
      @Handles(Ask) ask({ who }: Ask): Answered {
        log.push(`ask ${who}`);
        return new Answered();
      }
    }
    const app = await start({
      imports: [
        BrokerModule.forRoot(fresh('desk')),
        BrokerModule.forRoot({ name: 'billing', ...fresh('billing') }),
        BrokerModule.forFeature({
          broker: 'billing',
          outbound: [translate(AskHall, Ask, ({ name }) => ({ who: name.toUpperCase() }))],
        }),
      ],
      providers: [Porter],
    });
    expect(app.get<Broker>(connectionToken(Broker, 'billing')).messages.encode(new AskHall())).toMatchObject({
      envelope: { type: 'desk.ask', data: { who: 'SOMEBODY' } },
    });
    expect(app.get(Broker).messages.encode(new AskHall())).toMatchObject({ envelope: { type: 'hall.ask' } });
  });

  it('may all have names', async () => {
    const app = await start({
      imports: [BrokerModule.forRoot({ name: 'billing', ...fresh('billing') })],
      providers: [
        { provide: 'publisher', useFactory: (it: Publisher) => it, inject: [connectionToken(Publisher, 'billing')] },
      ],
    });
    await app.get<Publisher>('publisher').publish(new Paid());
  });

  it('cannot have one name', async () => {
    const twice = [BrokerModule.forRoot(fresh('desk')), BrokerModule.forRoot(fresh('billing'))];
    await expect(start({ imports: twice })).rejects.toThrow(
      /two connections are named 'default', of the contexts '(desk' and 'billing|billing' and 'desk)'/,
    );
    const named = ['desk', 'billing'].map((context) => BrokerModule.forRoot({ name: 'same', ...fresh(context) }));
    await expect(start({ imports: named })).rejects.toThrow("two connections are named 'same'");
  });

  it('do not meet those of another application in the process', async () => {
    const apps = await Promise.all(
      ['a', 'b'].map(() => start({ imports: [BrokerModule.forRoot(fresh('desk'))], providers: [DeskClerk] })),
    );
    await apps[0]!.get(Publisher).publish(Object.assign(new Asked(), { count: 1 }));
    await eventually(() => expect(log).toEqual(['asked 1']));
    await apps[0]!.close();
    await apps[1]!.get(Publisher).publish(Object.assign(new Asked(), { count: 2 }));
    await eventually(() => expect(log).toEqual(['asked 1', 'asked 2']));
  });
});

describe('aggregates, projections and sagas of a named connection', () => {
  @Aggregate('invoice')
  class Invoice extends AggregateRoot {
    total = 0;
    pay(cents: number): void {
      this.record(Object.assign(new Paid(), { cents }));
    }
    @Apply(Paid) protected paid({ cents }: Paid): void {
      this.total += cents;
    }
  }

  @Projection('totals')
  class Totals {
    @Projects(Paid) async paid({ cents }: Paid, view: View<number>): Promise<void> {
      await view.update('all', (total = 0) => total + cents);
    }
  }

  @Saga('thank')
  class Thank {
    readonly definition = saga<{ cents: number }>()
      .startsOn(Paid, ({ cents }) => ({ cents }), { id: ({ cents }) => String(cents) })
      .step('remind', (s) => s.sends(() => new Remind()).onReply(Reminded));
  }

  @Injectable()
  class Accountant {
    constructor(
      @InjectRepository(Invoice, 'billing') readonly invoices: Repository<Invoice>,
      @InjectView(Totals, 'billing') readonly totals: ReadView<number>,
      @InjectFrom('billing', Sagas) readonly sagas: Sagas,
    ) {}
    @Handles(Remind, { broker: 'billing' }) remind(): Reminded {
      return new Reminded();
    }
  }

  it('work in its context, also when another connection has the same', async () => {
    const app = await start({
      imports: [
        BrokerModule.forRoot(fresh('desk')),
        BrokerModule.forRoot({ name: 'billing', ...fresh('billing') }),
        EventStoreModule.forFeature({ aggregates: [Invoice], projections: [Totals], broker: 'billing' }),
        EventStoreModule.forFeature({ aggregates: [Invoice], projections: [Totals] }),
        SagaModule.forFeature([Thank], { broker: 'billing' }),
      ],
      providers: [Accountant],
    });
    const { invoices, totals, sagas } = app.get(Accountant);
    await invoices.change('i-1', (invoice) => invoice.pay(250));
    await eventually(async () => {
      expect(await totals.get('all')).toBe(250);
      expect(await sagas.find('thank', '250')).toMatchObject({ status: 'completed' });
    });
    expect(await app.get<Repository<Invoice>>(getRepositoryToken(Invoice)).find('i-1')).toBeUndefined();
    expect((await invoices.load('i-1')).total).toBe(250);
  });
});

describe('the options of a connection come', () => {
  const store = new InMemoryPartitionStore();

  @Injectable()
  class Settings {
    readonly context = 'desk';
  }
  @Module({ providers: [Settings], exports: [Settings] })
  class SettingsModule {}

  @Injectable()
  class DeskOptions implements BrokerOptionsFactory {
    constructor(@Inject(Settings) private readonly settings: Settings) {}
    createBrokerOptions = () => Promise.resolve({ context: this.settings.context, partitions: 1, store });
  }
  @Module({ imports: [SettingsModule], providers: [DeskOptions], exports: [DeskOptions] })
  class OptionsModule {}

  it.each([
    [
      'useFactory',
      BrokerModule.forRootAsync({
        imports: [SettingsModule],
        inject: [Settings],
        useFactory: ({ context }: Settings) => ({ ...fresh(context), store }),
      }),
    ],
    ['useClass', BrokerModule.forRootAsync({ imports: [SettingsModule], useClass: DeskOptions })],
    ['useExisting', BrokerModule.forRootAsync({ imports: [OptionsModule], useExisting: DeskOptions })],
  ])('from %s', async (_how, broker) => {
    const app = await start({ imports: [broker] });
    expect(app.get(Broker)).toMatchObject({ context: 'desk', partitions: 1, store });
  });
});

describe('a test replaces', () => {
  it('the store, and nothing connects', async () => {
    const store = new InMemoryPartitionStore();
    const app = await start(
      { imports: [BrokerModule.forRoot({ context: 'desk', redis: { url: 'redis://127.0.0.1:1' } })] },
      (builder) => builder.overrideProvider(PARTITION_STORE).useValue(store),
    );
    expect(app.get(Broker).store).toBe(store);
  });

  it('a publisher, of a named connection too', async () => {
    const spy = { publish: () => log.push('published') };
    const app = await start(
      {
        imports: [BrokerModule.forRoot(fresh('desk')), BrokerModule.forRoot({ name: 'billing', ...fresh('billing') })],
      },
      (builder) =>
        builder
          .overrideProvider(Publisher)
          .useValue(spy)
          .overrideProvider(connectionToken(Publisher, 'billing'))
          .useValue(spy),
    );
    await app.get(Publisher).publish(new Asked());
    await app.get<Publisher>(connectionToken(Publisher, 'billing')).publish(new Paid());
    expect(log).toEqual(['published', 'published']);
  });

  it('the stores of all connections at once', async () => {
    const opened: string[] = [];
    const open = ({ context }: BrokerModuleOptions) => {
      opened.push(context);
      return new InMemoryPartitionStore();
    };
    await start({
      imports: [
        {
          module: class InMemory {},
          global: true,
          providers: [{ provide: OPEN_STORE, useValue: open }],
          exports: [OPEN_STORE],
        },
        BrokerModule.forRoot({ context: 'desk' }),
        BrokerModule.forRoot({ name: 'billing', context: 'billing' }),
      ],
    });
    expect(opened).toEqual(['desk', 'billing']);
  });
});
