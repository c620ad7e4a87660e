import { Broker, BrokerHealthIndicator } from '@millrace/broker';
import { Projections } from '@millrace/event-store';
import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { HealthCheck, HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import type { HealthCheckResult, HealthIndicatorResult } from '@nestjs/terminus';

@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly broker: Broker,
    private readonly messages: BrokerHealthIndicator,
    private readonly projections: Projections,
  ) {}

  /** Whether the store answers, and whether messages are handled and the read models keep up. */
  @Get()
  @HealthCheck()
  check(): Promise<HealthCheckResult> {
    return this.health.check([() => this.store(), () => this.messages.check('messages'), () => this.readModels()]);
  }

  private async store(): Promise<HealthIndicatorResult> {
    const store = this.indicators.check('store');
    try {
      const { server, warnings } = await this.broker.store.inspect();
      return warnings.length > 0 ? store.degraded({ server, warnings }) : store.up({ server });
    } catch {
      return store.down('does not answer');
    }
  }

  private readModels(): HealthIndicatorResult {
    const readModels = this.indicators.check('readModels');
    const stopped = this.projections.status().flatMap(({ projection, partition, failure }) => {
      const at = failure?.position === undefined ? {} : { position: failure.position };
      return failure ? [{ projection, partition: partition.index, ...at, attempts: failure.attempts }] : [];
    });
    return stopped.length > 0 ? readModels.degraded({ stopped }) : readModels.up();
  }
}
