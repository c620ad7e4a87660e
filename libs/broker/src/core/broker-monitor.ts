import type { Broker } from './broker.js';
import type { BrokerFigures } from './broker-figures.js';
import type { Subscriptions } from './handler.js';
import { checkHealth, judge } from './health.js';
import type { Health, HealthOptions } from './health.js';
import type { PartitionFigures } from './partition-figures.js';
import { readPartitions } from './read-partitions.js';
import type { Retention } from './retention.js';

/**
 * Figures for people and for health checks: a few short reads per partition when it is asked, and nothing in between. It
 * looks where {@link DeadLetters} does: in the partitions of the own context and of those that its groups read. A dead letter
 * stands in the partition of its message, so both count those of other services there, too.
 */
export class BrokerMonitor {
  private readonly watched: (() => readonly string[])[] = [];

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
    const partitions = await readPartitions(broker, subscriptions);
    const [{ server }, ...surveys] = await Promise.all([
      broker.store.inspect(),
      ...partitions.map((partition) => broker.store.survey(partition)),
    ]);
    const isOwn = ({ partition: { context } }: PartitionFigures): boolean => context === broker.context;
    return {
      context: broker.context,
      server,
      own: surveys.filter(isOwn),
      others: surveys.filter((figures) => !isOwn(figures)).map((figures) => onlyOf(figures, groups)),
      heldBack: retention.heldBack,
    };
  }

  /** Asks for more reasons to be degraded, one sentence each, whenever health is asked for: projections that stand still. */
  watch(problems: () => readonly string[]): void {
    this.watched.push(problems);
  }

  /** How the service is, by the limits of `forRoot({ health })`. Never rejects: a store that does not answer is `down`. */
  async health(): Promise<Health> {
    try {
      const groups = new Set([...this.subscriptions.groups.values()].map(({ name }) => name));
      const health = judge(await this.inspect(), groups, this.retention.rules, this.limits);
      return worsened(
        health,
        this.watched.flatMap((problems) => problems()),
      );
    } catch (error) {
      return {
        status: 'down',
        reasons: [`the store does not answer: ${(error as Error).message}`],
        figures: undefined,
      };
    }
  }
}

function worsened(health: Health, problems: readonly string[]): Health {
  if (problems.length === 0) return health;
  const { status, reasons } = health;
  return { ...health, status: status === 'up' ? 'degraded' : status, reasons: [...reasons, ...problems] };
}

function onlyOf(figures: PartitionFigures, groups: ReadonlySet<string>): PartitionFigures {
  const followers = figures.followers.filter(({ follower }) => follower.kind === 'group' && groups.has(follower.group));
  return { ...figures, followers };
}
