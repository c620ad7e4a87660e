import { ConfigurationError, silent } from '@millrace/broker';
import type { Broker, Logger, Partition, Write } from '@millrace/broker';
import { parseCommandId, stateName } from '../command-id.js';
import { milliseconds } from '../dsl/duration.js';
import type { Duration } from '../dsl/duration.js';
import { hasEnded } from '../instance.js';
import type { SagaInstance } from '../instance.js';
import type { Removed } from './removed.js';
import { idIn, listedBy, listingMoves, listings, SAGA_INDEX, within } from './saga-index.js';
import type { SagaInstances } from './saga-instances.js';
import { historyName } from './saga-writes.js';

/** How long sagas are kept after their end, by how they ended. Default of each: for ever. */
export interface SagaRetentionOptions {
  readonly completed?: Duration;
  readonly compensated?: Duration;
  readonly aborted?: Duration;
}

const OUTCOMES = ['completed', 'compensated', 'aborted'] as const;
const EVERY_MS = 60_000;
const PAGE = 100;

/**
 * Removes ended sagas after their time: found by when they ended, so that no other is looked at. Each in a commit of its own,
 * which is refused when the saga has changed; so any number of processes may do so at the same time.
 *
 * What was removed leaves a mark in its place for the dedupe window of the broker: a message that comes again does not start
 * it anew.
 */
export class SagaRetention {
  private readonly kept = new Map<string, ReadonlyMap<(typeof OUTCOMES)[number], number>>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly broker: Broker,
    private readonly instances: SagaInstances,
    private readonly logger: Logger = silent,
  ) {}

  /** @throws ConfigurationError for what is no duration */
  keep(saga: string, options: SagaRetentionOptions): void {
    const unknown = Object.keys(options).find((name) => !(OUTCOMES as readonly string[]).includes(name));
    if (unknown !== undefined) {
      throw new ConfigurationError(`retention of saga '${saga}' has '${unknown}': there are ${OUTCOMES.join(', ')}`);
    }
    const times = OUTCOMES.flatMap((outcome) => {
      const time = options[outcome];
      return time === undefined
        ? []
        : [[outcome, milliseconds(time, `retention of saga '${saga}', ${outcome},`)] as const];
    });
    this.kept.set(saga, new Map(times));
  }

  /** Looks once a minute. */
  start(): void {
    if (this.timer || ![...this.kept.values()].some(({ size }) => size > 0)) return;
    this.timer = setInterval(() => {
      this.sweep().catch((error: unknown) => this.logger.error(`ended sagas were not removed: ${String(error)}`));
    }, EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Removes what is past its time now. Answers how many. */
  async sweep(): Promise<number> {
    let removed = 0;
    for (const [saga, times] of this.kept) {
      for (const [outcome, time] of times) {
        for (let index = 0; index < this.broker.partitions; index++) {
          const until = this.broker.clock.now() - time;
          removed += await this.sweepOne({ context: this.broker.context, index }, saga, outcome, until);
        }
      }
    }
    return removed;
  }

  private async sweepOne(
    partition: Partition,
    saga: string,
    outcome: (typeof OUTCOMES)[number],
    until: number,
  ): Promise<number> {
    const range = within(listedBy.ended(saga, outcome), 0, until);
    let removed = 0;
    for (let after: { value: string; id: string } | undefined; ;) {
      const query = { ...range, limit: PAGE, ...(after ? { after } : {}) };
      const rows = await this.broker.store.listRows(partition, SAGA_INDEX, query);
      const done = await Promise.all(rows.map(({ id }) => this.remove(partition, saga, idIn(id).id, until)));
      removed += done.filter(Boolean).length;
      after = rows.at(-1);
      if (rows.length < PAGE) return removed;
    }
  }

  private async remove(partition: Partition, saga: string, id: string, until: number): Promise<boolean> {
    const { instance, revision, keys } = await this.instances.read(saga, id);
    if (!instance || !hasEnded(instance) || (instance.endedAt ?? Infinity) > until) return false;
    if (await this.isNeeded(instance)) return false;
    const mark: Removed = { removedAt: this.broker.clock.now() };
    const state = stateName(saga, id);
    const pages = Array.from({ length: instance.pages ?? 0 }, (_, page): Write => ({
      kind: 'delete',
      state: historyName(saga, id, page),
    }));
    const unlisting = listingMoves(saga, id, listings(instance, [], keys), []);
    const { status } = await this.broker.commit({
      partition,
      guards: [{ kind: 'revision', state, expected: revision }],
      writes: [
        { kind: 'put', state, value: JSON.stringify(mark), ttlMs: this.broker.dedupeWindowMs },
        ...pages,
        ...(unlisting ? [unlisting] : []),
      ],
    });
    return status === 'committed';
  }

  /** The saga that it is a part of may undo it until that has ended. */
  private async isNeeded({ asker }: SagaInstance): Promise<boolean> {
    const parent = asker?.parent ? parseCommandId(asker.commandId) : undefined;
    const found = parent && (await this.instances.find(parent.saga, parent.id));
    return found !== undefined && !hasEnded(found);
  }
}
