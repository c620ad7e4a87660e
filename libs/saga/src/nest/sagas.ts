import { Declarations } from '@millrace/broker';
import type { Broker, Subscriptions } from '@millrace/broker';
import { Logger } from '@nestjs/common';
import type { SagaInstance } from '../core/instance.js';
import { Orchestrator } from '../core/orchestrator.js';
import { definitionOf } from '../core/saga-class.js';
import type { SagaHolder } from '../core/saga-class.js';
import { SagaEnded, SagaParked, SagaStarted, SagaTurned } from '../core/saga-events.js';
import { SagaDefinitions } from '../core/runtime/saga-definitions.js';
import { SagaInstances } from '../core/runtime/saga-instances.js';
import { SagaLocks } from '../core/runtime/saga-locks.js';
import { commandClassesOf } from '../core/sent-commands.js';

/** The sagas of a connection of this service. */
export class Sagas {
  private readonly instances: SagaInstances;
  private readonly orchestrator: Orchestrator;

  constructor(
    broker: Broker,
    subscriptions: Subscriptions,
    private readonly declarations = new Declarations(),
  ) {
    const logger = new Logger('Millrace');
    this.instances = new SagaInstances(broker, new SagaDefinitions(), logger);
    this.orchestrator = new Orchestrator(broker.context, subscriptions, this.instances, new SagaLocks(broker), logger);
  }

  /** @throws ConfigurationError when one of this name is here already */
  add(saga: SagaHolder): void {
    const definition = definitionOf(saga);
    this.orchestrator.add(definition);
    this.declarations.sends(`saga ${definition.name}`, [
      ...commandClassesOf(definition),
      SagaStarted,
      SagaTurned,
      SagaEnded,
      SagaParked,
    ]);
  }

  /**
   * An instance as it is now, with its state and its history; undefined when it has not been started.
   *
   * @param saga the name of the saga
   */
  find<State = unknown>(saga: string, id: string): Promise<SagaInstance<State> | undefined> {
    return this.instances.find(saga, id);
  }
}
