import { randomUUID } from 'node:crypto';
import {
  Broker,
  InMemoryPartitionStore,
  Publisher,
  RedisPartitionStore,
  Subscriber,
  Subscriptions,
} from '@millrace/broker';
import type { Clock, PartitionStore } from '@millrace/broker';
import { contractOf } from '@millrace/messages';
import type { Envelope, MessageClass } from '@millrace/messages';
import { eventually } from '../eventually.fixture.js';
import { isOver } from '../instance.js';
import type { SagaInstance } from '../instance.js';
import { Orchestrator } from '../orchestrator.js';
import { definitionOf } from '../saga-class.js';
import type { SagaHolder } from '../saga-class.js';
import { SagaControl } from './saga-control.js';
import { SagaDefinitions } from './saga-definitions.js';
import { SagaInstances } from './saga-instances.js';
import { SagaLocks } from './saga-locks.js';

/** Both adapters, for `describe.each`. */
export const STORES: [string, () => PartitionStore][] = [
  ['memory', () => new InMemoryPartitionStore()],
  [
    'Redis',
    () => new RedisPartitionStore({ url: process.env.TEST_REDIS_URL!, namespace: `t-${randomUUID().slice(0, 8)}` }),
  ],
];

type Answer = (data: never, envelope: Envelope) => object | void | Promise<object | void>;

/** A service `trips` that runs sagas and answers their commands itself. */
export class SagaService {
  readonly broker: Broker;
  readonly instances: SagaInstances;
  readonly control: SagaControl;
  readonly locks: SagaLocks;
  readonly errors: string[] = [];
  private readonly subscriptions = new Subscriptions('trips');
  private readonly subscriber: Subscriber;

  constructor(
    readonly store: PartitionStore,
    sagas: readonly (new () => SagaHolder)[],
    answers: readonly (readonly [MessageClass, Answer])[] = [],
    clock?: Clock,
  ) {
    this.broker = new Broker(store, { context: 'trips', partitions: 2, ...(clock ? { clock } : {}) });
    const error = (message: string) => void this.errors.push(message);
    const logger = { debug: () => undefined, log: () => undefined, warn: () => undefined, error };
    this.instances = new SagaInstances(this.broker, new SagaDefinitions(), logger);
    this.control = new SagaControl(this.broker, this.instances);
    this.locks = new SagaLocks(this.broker);
    const orchestrator = new Orchestrator('trips', this.subscriptions, this.instances, this.locks, logger);
    for (const saga of sagas) orchestrator.add(definitionOf(new saga()));
    for (const [contract, answer] of answers) {
      const { type } = contractOf(contract);
      this.subscriptions.add({
        name: type,
        type,
        contract,
        context: 'trips',
        log: 'in',
        handle: (data, { envelope }) => answer(data as never, envelope),
      });
    }
    this.subscriber = new Subscriber(this.broker, this.subscriptions, { blockMs: 20 }, logger);
  }

  async open(): Promise<this> {
    await this.subscriber.start();
    return this;
  }

  /** Leaves the store to another service. */
  async stop(): Promise<void> {
    await this.subscriber.stop();
  }

  async close(): Promise<void> {
    await this.stop();
    await this.store.close();
  }

  async publish(event: object): Promise<void> {
    await new Publisher(this.broker).publish(event);
  }

  /** An instance, as soon as it is as it should be. */
  reaches<S = unknown>(
    saga: string,
    id: string,
    when: (instance: SagaInstance<S>) => boolean,
  ): Promise<SagaInstance<S>> {
    return eventually(async () => {
      const instance = await this.instances.find<S>(saga, id);
      return instance && when(instance) && instance;
    });
  }

  /** An instance, as soon as it has ended or is parked. */
  outcomeOf<S = unknown>(saga: string, id: string): Promise<SagaInstance<S>> {
    return this.reaches<S>(saga, id, isOver);
  }
}

/** `step direction what` of a history, without what was sent. */
export function storyOf({ history }: SagaInstance): string[] {
  return history
    .filter(({ what }) => what !== 'sent')
    .map(({ step, direction, what }) => `${step} ${direction} ${what}`);
}
