import type * as terminus from '@nestjs/terminus';
import type { BrokerMonitor } from '../core/broker-monitor.js';
import type { HealthFigures } from '../core/health.js';

/** A result as @nestjs/terminus takes it. */
export type BrokerHealthResult<Key extends string = string> = Record<
  Key,
  {
    readonly status: 'up' | 'degraded' | 'down';
    readonly reasons?: readonly string[];
    readonly message?: string;
  } & Partial<HealthFigures>
>;

/**
 * Health of the broker for @nestjs/terminus, which need not be installed for anything else. `degraded` and `down` by the
 * limits of `forRoot({ health })`; terminus before 12 knows no `degraded`, so there it is `up`, with `degraded: true`.
 *
 * @example
 * check() {
 *   return this.health.check([() => this.broker.check('broker')]);
 * }
 */
export class BrokerHealthIndicator {
  private service: Promise<typeof terminus> | undefined;

  constructor(readonly monitor: BrokerMonitor) {}

  /** Never rejects for what is wrong with the broker. @throws when @nestjs/terminus is not installed */
  async check<Key extends string>(key: Key): Promise<BrokerHealthResult<Key>> {
    const { HealthIndicatorService } = await (this.service ??= import('@nestjs/terminus'));
    const session = new HealthIndicatorService().check(key);
    const { status, reasons, figures } = await this.monitor.health();
    const data = { ...figures, ...(reasons.length > 0 ? { reasons } : {}) };
    const result =
      status === 'down'
        ? session.down(data)
        : status === 'up'
          ? session.up(data)
          : 'degraded' in session
            ? session.degraded(data)
            : (session as Session).up({ ...data, degraded: true });
    return result as BrokerHealthResult<Key>;
  }
}

type Session = ReturnType<terminus.HealthIndicatorService['check']>;
