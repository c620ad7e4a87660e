import { ConfigurationError } from '@millrace/broker';
import type { Broker } from '@millrace/broker';
import { Injectable, Logger } from '@nestjs/common';
import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import type { ProjectionStatus } from '../core/projection-partition.js';
import { ProjectionRunner } from '../core/projection-runner.js';
import { projectionOf } from '../core/projection.js';
import type { ProjectionClass } from '../core/projection.js';

/** The projections of this service: started with the application, stopped before its connections close. */
@Injectable()
export class Projections implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(Projections.name);
  private readonly byBroker = new Map<Broker, Map<string, ProjectionRunner>>();

  /** @throws ConfigurationError when there is one of this name and version already */
  add(type: ProjectionClass, projection: object, broker: Broker): void {
    const { name } = projectionOf(type);
    let runners = this.byBroker.get(broker);
    if (!runners) this.byBroker.set(broker, (runners = new Map<string, ProjectionRunner>()));
    if (runners.has(name)) {
      throw new ConfigurationError(
        `projection ${name} is declared twice: rename ${type.name}, or declare it in one module and export that`,
      );
    }
    runners.set(name, new ProjectionRunner(broker, type, projection, (status) => this.report(status, broker)));
  }

  /** How far each projection is on each partition, and what stops it. */
  status(): readonly ProjectionStatus[] {
    return this.runners.flatMap((runner) => runner.status());
  }

  onApplicationBootstrap(): void {
    for (const runner of this.runners) runner.start();
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.runners.map((runner) => runner.stop()));
  }

  private get runners(): readonly ProjectionRunner[] {
    return [...this.byBroker.values()].flatMap((runners) => [...runners.values()]);
  }

  private report({ projection, partition, failure }: ProjectionStatus, broker: Broker): void {
    if (!failure) return;
    const where = `${projection} on ${partition.context}/${partition.index}`;
    const at = failure.position === undefined ? '' : ` at position ${failure.position}`;
    const wait = Math.max(0, failure.due - broker.clock.now());
    const message = `${where} stopped${at} (attempt ${failure.attempts}, again in ${wait} ms): ${failure.error.message}`;
    if (failure.position === undefined) this.logger.warn(message);
    else this.logger.error(message, failure.error.stack);
  }
}
