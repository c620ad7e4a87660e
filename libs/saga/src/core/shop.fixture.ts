import { Broker, Publisher, Subscriber, Subscriptions } from '@millrace/broker';
import type { Partition, PartitionStore, Source } from '@millrace/broker';
import { decode } from '@millrace/messages';
import type { Envelope } from '@millrace/messages';
import type { SagaDefinition } from './definition.js';
import { eventually } from './eventually.fixture.js';
import { isOver } from './instance.js';
import { Orchestrator } from './orchestrator.js';
import {
  CreditChecked,
  OrderConfirmed,
  OrderPlaced,
  OrderRejected,
  PaymentCaptured,
  PaymentRefunded,
  placeOrder,
  StockReleased,
  StockReserved,
} from './place-order.fixture.js';
import type { PlaceOrderState } from './place-order.fixture.js';
import { SagaDefinitions } from './runtime/saga-definitions.js';
import { SagaInstances } from './runtime/saga-instances.js';
import { SagaLocks } from './runtime/saga-locks.js';

type Answers = Record<string, (attempt: number) => object | undefined>;

const ANSWERS: Answers = {
  'catalog.reserve-stock': () => new StockReserved('r1'),
  'catalog.release-stock': () => new StockReleased('r1'),
  'customer.check-credit': () => new CreditChecked('A'),
  'payment.capture': () => new PaymentCaptured('p1'),
  'payment.refund': () => new PaymentRefunded('f1'),
  'order.confirm': () => new OrderConfirmed(1),
  'order.reject': () => new OrderRejected('yes'),
};

/** The services of the shop on one store: each answers its commands as told; undefined answers nothing. */
export class Shop {
  readonly commands: Envelope[] = [];
  readonly errors: string[] = [];
  readonly instances: SagaInstances;
  readonly order: Broker;
  private readonly runner: Broker;
  private readonly subscribers: Subscriber[] = [];

  constructor(
    readonly store: PartitionStore,
    private readonly answers: Answers = {},
    definition: SagaDefinition<PlaceOrderState> = placeOrder,
  ) {
    this.order = new Broker(store, { context: 'order', partitions: 2 });
    this.runner = new Broker(store, { context: 'place-order', partitions: 2 });
    const error = (message: string) => void this.errors.push(message);
    const logger = { debug: () => undefined, log: () => undefined, warn: () => undefined, error };
    this.instances = new SagaInstances(this.runner, new SagaDefinitions(), logger);
    const subscriptions = new Subscriptions('place-order');
    new Orchestrator('place-order', subscriptions, this.instances, new SagaLocks(this.runner), logger).add(definition);
    this.subscribers.push(new Subscriber(this.runner, subscriptions, { blockMs: 20 }, logger));
    for (const context of ['order', 'catalog', 'customer', 'payment']) this.subscribers.push(this.participant(context));
  }

  async open(): Promise<this> {
    await Promise.all(this.subscribers.map((subscriber) => subscriber.start()));
    return this;
  }

  async close(): Promise<void> {
    await Promise.all(this.subscribers.map((subscriber) => subscriber.stop()));
    await this.store.close();
  }

  async place(orderId: string): Promise<void> {
    await new Publisher(this.order).publish(new OrderPlaced(orderId, 990));
  }

  /** The instance, as soon as it is over. */
  outcomeOf(id: string) {
    return eventually(async () => {
      const instance = await this.instances.find<PlaceOrderState>('place-order', id);
      return instance && isOver(instance) && instance;
    });
  }

  async deliver(partition: Partition, message: Partial<Envelope>): Promise<void> {
    const write = { kind: 'emit', to: partition, message: JSON.stringify(message) } as const;
    await this.store.commit({ partition, guards: [], writes: [write] });
  }

  inboxIsEmpty(partition: Partition): Promise<void> {
    return this.isHandled({ partition, log: 'in' }, 'place-order');
  }

  async startsAreHandled(): Promise<void> {
    for (const index of [0, 1]) {
      await this.isHandled({ partition: { context: 'order', index }, log: 'feed' }, 'place-order.saga.place-order');
    }
  }

  private async isHandled(source: Source, group: string): Promise<void> {
    await eventually(async () => {
      const { pending, waiting } = await this.store.backlog(source, group);
      return pending + waiting === 0;
    });
  }

  async lifecycleOf(id: string): Promise<Envelope[]> {
    const entries = await this.store.readFeed(this.partitionOf(id), 0, 100);
    return entries
      .map(({ fields, id: entry }) => decode(fields, entry))
      .filter(({ partitionkey }) => partitionkey === id);
  }

  partitionOf(id: string): Partition {
    return this.runner.partitionFor(id);
  }

  private participant(context: string): Subscriber {
    const subscriptions = new Subscriptions(context);
    subscriptions.add({
      name: context,
      type: 'any command',
      accepts: () => true,
      context,
      log: 'in',
      handle: (_, { envelope }) => {
        this.commands.push(envelope);
        const attempt = this.commands.filter(({ type }) => type === envelope.type).length;
        return (this.answers[envelope.type] ?? ANSWERS[envelope.type])!(attempt);
      },
    });
    const broker = context === 'order' ? this.order : new Broker(this.store, { context, partitions: 1 });
    return new Subscriber(broker, subscriptions, { blockMs: 20 });
  }
}
