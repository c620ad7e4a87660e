import { ConfigurationError } from '@millrace/broker';
import type { Broker } from '@millrace/broker';
import { Injectable, Logger } from '@nestjs/common';
import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import { ExternalProjection } from '../core/external-projection.js';
import type { ParkedEvent } from '../core/parked-event.js';
import { ProjectionControl } from '../core/projection-control.js';
import type { Place, WaitOptions } from '../core/projection-control.js';
import { ProjectionRunner } from '../core/projection-runner.js';
import type { ProjectionStatus } from '../core/projection-status.js';
import { projectionOf } from '../core/projection.js';
import type { ProjectionClass } from '../core/projection.js';

interface Running {
  readonly type: ProjectionClass;
  readonly projection: object;
  readonly broker: Broker;
  readonly runner: ProjectionRunner;
}

/** The projections of this service: started with the application, stopped before its connections close. */
@Injectable()
export class Projections implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(Projections.name);
  private readonly all: Running[] = [];

  /** @throws ConfigurationError when there is one of this name and version already */
  add(type: ProjectionClass, projection: object, broker: Broker): void {
    const { name } = projectionOf(type);
    if (this.all.some((other) => other.broker === broker && projectionOf(other.type).name === name)) {
      throw new ConfigurationError(
        `projection ${name} is declared twice: rename ${type.name}, or declare it in one module and export that`,
      );
    }
    const runner = new ProjectionRunner(broker, type, projection, {
      failed: (status) => this.reportFailure(status, broker),
      parked: (event) => this.reportParked(event),
      switched: (from, to) => this.logger.log(`${to} has caught up and serves now; ${from} is kept`),
    });
    this.all.push({ type, projection, broker, runner });
  }

  /** How far each projection is on each partition, and what stops it. */
  status(): readonly ProjectionStatus[] {
    return this.all.flatMap(({ runner }) => runner.status());
  }

  /**
   * One projection: its builds, to build it anew and to go back.
   *
   * @param context the one whose events it projects, where several connections have it. Default: the first
   * @throws ConfigurationError when this service has no such projection
   */
  of(type: ProjectionClass, context?: string): ProjectionControl {
    const { broker, projection } = this.find(type, context);
    const database = projection instanceof ExternalProjection ? projection.database : undefined;
    return new ProjectionControl(broker, projectionOf(type), database);
  }

  /**
   * Waits until the view has the events up to a place; without one: all that are stored now, so what was written before
   * this call is read after it. Not within a handler: what that has decided is not stored yet.
   *
   * @throws ProjectionBehindError that says how far it is
   *
   * @example
   * await products.change('book-1', (product) => product.reserve(orderId, 2));
   * await projections.waitFor(ProductList);
   */
  waitFor(type: ProjectionClass, places?: Place | readonly Place[], options?: WaitOptions): Promise<void> {
    return this.of(type).waitFor(places, options);
  }

  /**
   * Projects the parked events of the build that serves, oldest first.
   *
   * @returns those that failed again
   */
  async retryParked(type: ProjectionClass, context?: string): Promise<readonly ParkedEvent[]> {
    const { runner } = this.find(type, context);
    const failed: ParkedEvent[] = [];
    for (const event of await this.of(type, context).parked()) {
      const still = await runner.retry(event);
      if (still) failed.push(still);
    }
    return failed;
  }

  /** One sentence for each partition on which a projection stands still, or goes on without events; for health. */
  problems(type: ProjectionClass, broker: Broker): readonly string[] {
    return this.find(type, broker.context)
      .runner.status()
      .flatMap(({ projection, partition, failure, parked }) => {
        const where = `projection ${projection} on ${partition.context}/${partition.index}`;
        return [
          ...(failure?.position === undefined
            ? []
            : [`${where} stands still before position ${failure.position}: ${failure.error.message}`]),
          ...(parked > 0 ? [`${where} goes on without what it could not take: ${parked} parked`] : []),
        ];
      });
  }

  onApplicationBootstrap(): void {
    for (const { runner } of this.all) runner.start();
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.all.map(({ runner }) => runner.stop()));
  }

  private find(type: ProjectionClass, context: string | undefined): Running {
    const found = this.all.find(
      (running) => running.type === type && (context === undefined || running.broker.context === context),
    );
    if (found) return found;
    throw new ConfigurationError(
      `this service runs no projection ${type.name}: name it in EventStoreModule.forFeature({ projections })`,
    );
  }

  private reportFailure({ projection, partition, failure }: ProjectionStatus, broker: Broker): void {
    if (!failure) return;
    const where = `${projection} on ${partition.context}/${partition.index}`;
    const at = failure.position === undefined ? '' : ` at position ${failure.position}`;
    const wait = Math.max(0, failure.due - broker.clock.now());
    const message = `${where} stopped${at} (attempt ${failure.attempts}, again in ${wait} ms): ${failure.error.message}`;
    if (failure.position === undefined) this.logger.warn(message);
    else this.logger.error(message, failure.error.stack);
  }

  private reportParked({ projection, partition, position, type, attempts, error }: ParkedEvent): void {
    this.logger.error(
      `${projection} on ${partition.context}/${partition.index} goes on without position ${position}, ` +
        `${type ?? 'unreadable'} (parked after ${attempts} attempts): ${error}`,
    );
  }
}
