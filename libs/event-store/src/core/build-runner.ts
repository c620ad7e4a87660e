import { setTimeout as delay } from 'node:timers/promises';
import type { Broker, Reader } from '@millrace/broker';
import type { BuildRole } from './build-record.js';
import type { ParkedEvent } from './parked-event.js';
import { LogRewoundError } from './errors.js';
import { FeedPages } from './feed-pages.js';
import type { FeedPage, FeedPart } from './feed-pages.js';
import { ExternalPartition } from './external-partition.js';
import { ExternalProjection } from './external-projection.js';
import type { Projecting, ProjectionPartition } from './projection-partition.js';
import type { ProjectionListener, ProjectionStatus } from './projection-status.js';
import { RowPartition } from './row-partition.js';

/** Events of one partition on a page of an external projection, which are one transaction. */
const TRANSACTION = 500;

/** Longest wait for new events, ms; short enough to notice a checkpoint that was moved back. */
const BLOCK_MS = 5_000;

/**
 * Keeps one build of a projection up to date, on all partitions of the context at once, reading on a connection of its own.
 * Every replica of a service may run it: each batch is committed by the fastest one only.
 */
export class BuildRunner {
  private readonly partitions: readonly ProjectionPartition[];
  private readonly stopping = new AbortController();
  private readonly pages: FeedPages;
  private reader: Reader | undefined;
  private running: Promise<void> | undefined;

  constructor(
    private readonly broker: Broker,
    of: Projecting,
    public role: BuildRole,
    private readonly listener: ProjectionListener,
  ) {
    const isExternal = of.projection instanceof ExternalProjection;
    const Partition = isExternal ? ExternalPartition : RowPartition;
    this.pages = new FeedPages(isExternal ? TRANSACTION : undefined);
    this.partitions = Array.from(
      { length: broker.partitions },
      (_, index) => new Partition({ context: broker.context, index }, broker, of, () => this.role),
    );
  }

  /** Idempotent. */
  start(): void {
    this.running ??= this.run();
  }

  /** Ends after the commits under way. Idempotent; a stopped runner stays stopped. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.reader?.close();
    await this.running;
  }

  status(): readonly ProjectionStatus[] {
    return this.partitions.map((partition) => partition.status);
  }

  /** @returns the event with its new failure; undefined when it has been projected */
  retry(event: ParkedEvent): Promise<ParkedEvent | undefined> {
    return this.partitions[event.partition.index]!.retry(event);
  }

  private async run(): Promise<void> {
    this.reader = this.broker.store.openReader();
    while (!this.stopping.signal.aborted) {
      const now = this.broker.clock.now();
      const due = (partition: ProjectionPartition) => (partition.gone ? Infinity : (partition.failure?.due ?? now));
      const ready = this.partitions.filter((partition) => due(partition) <= now);
      if (ready.length > 0) await this.advance(this.reader, ready);
      else await delay(this.waitMs(), undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }
  }

  /** Until the next one is tried again that has failed. */
  private waitMs(): number {
    const now = this.broker.clock.now();
    const waits = this.partitions.flatMap(({ gone, failure }) => (failure && !gone ? [failure.due - now] : []));
    return Math.max(1, Math.min(BLOCK_MS, ...waits));
  }

  private async advance(reader: Reader, ready: readonly ProjectionPartition[]): Promise<void> {
    const located = await this.located(ready);
    if (located.length === 0) return;
    let page: FeedPage;
    try {
      const after = located.map(({ partition, reached }) => ({ partition, position: reached }));
      const isOpen = located.some((partition) => partition.isOpen);
      page = await this.pages.read(reader, after, isOpen ? 0 : this.waitMs());
    } catch (error) {
      if (!this.stopping.signal.aborted) for (const partition of located) this.fail(partition, error);
      return;
    }
    await Promise.all(located.map((partition) => this.take(partition, page.get(partition.partition.index))));
  }

  /** Those that know where they are: one whose feed was set back keeps no other waiting. */
  private async located(ready: readonly ProjectionPartition[]): Promise<readonly ProjectionPartition[]> {
    const found = await Promise.all(
      ready.map(async (partition) => {
        try {
          await partition.locate();
          return [partition];
        } catch (error) {
          if (!this.stopping.signal.aborted) {
            partition.fail(error, error instanceof LogRewoundError ? error.position : partition.reached + 1);
            this.listener.failed?.(partition.status);
          }
          return [];
        }
      }),
    );
    return found.flat();
  }

  private async take(partition: ProjectionPartition, part: FeedPart | undefined): Promise<void> {
    if (partition.gone) return;
    try {
      const parked = part && (await partition.take(part.entries, part.more));
      if (parked) this.listener.parked?.(parked);
      if (!part) await partition.settle();
      if (!part && partition.failure?.position === undefined) partition.failure = undefined;
      if (partition.failure) this.listener.failed?.(partition.status);
    } catch (error) {
      this.fail(partition, error);
    }
  }

  private fail(partition: ProjectionPartition, error: unknown): void {
    partition.fail(error);
    this.listener.failed?.(partition.status);
  }
}
