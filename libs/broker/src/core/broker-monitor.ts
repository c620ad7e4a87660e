import type { Broker } from './broker.js';
import type { BrokerFigures } from './broker-figures.js';
import type { Subscriptions } from './handler.js';
import { checkHealth, judge } from './health.js';
import type { Health, HealthOptions } from './health.js';
import type { PartitionFigures } from './partition-figures.js';
import type { Retention } from './retention.js';

/** Figures for people and for health checks: a few short reads per partition when it is asked, and nothing in between. */
export class BrokerMonitor {
  /** @throws ConfigurationError for limits that cannot work */
  constructor(
    private readonly broker: Broker,
    private readonly subscriptions: Subscriptions,
    private readonly retention: Retention,
    private readonly limits: HealthOptions = {},
  ) {
    checkHealth(limits);
  }

  /** @throws StoreUnavailableError when the store cannot be reached */
  async inspect(): Promise<BrokerFigures> {
    const { broker, subscriptions, retention } = this;
    const groups = new Set([...subscriptions.groups.values()].map(({ name }) => name));
    const contexts = new Set(
      [...subscriptions.groups.values()].flatMap(({ sources }) => sources.map((s) => s.context)),
    );
    contexts.delete(broker.context);
    const [{ server }, own, ...others] = await Promise.all([
      broker.store.inspect(),
      this.surveys(broker.context),
      ...[...contexts].map((context) => this.surveys(context)),
    ]);
    return {
      context: broker.context,
      server,
      own,
      others: others.flat().map((figures) => onlyOf(figures, groups)),
      heldBack: retention.heldBack,
    };
  }

  /** How the service is, by the limits of `forRoot({ health })`. Never rejects: a store that does not answer is `down`. */
  async health(): Promise<Health> {
    try {
      const groups = new Set([...this.subscriptions.groups.values()].map(({ name }) => name));
      return judge(await this.inspect(), groups, this.retention.rules, this.limits);
    } catch (error) {
      return {
        status: 'down',
        reasons: [`the store does not answer: ${(error as Error).message}`],
        figures: undefined,
      };
    }
  }

  private async surveys(context: string): Promise<readonly PartitionFigures[]> {
    const count = await this.broker.partitionsOf(context);
    const indexes = Array.from({ length: count }, (_, index) => index);
    return Promise.all(indexes.map((index) => this.broker.store.survey({ context, index })));
  }
}

function onlyOf(figures: PartitionFigures, groups: ReadonlySet<string>): PartitionFigures {
  const followers = figures.followers.filter(({ follower }) => follower.kind === 'group' && groups.has(follower.group));
  return { ...figures, followers };
}
