import { setTimeout as delay } from 'node:timers/promises';
import type { Broker, Entry, Reader } from '@millrace/broker';
import { ProjectionPartition } from './projection-partition.js';
import type { ProjectionStatus } from './projection-partition.js';
import { projectionOf } from './projection.js';
import type { ProjectionClass } from './projection.js';

/** Events of one partition that become one commit at most. */
const BATCH = 200;
/** Longest wait for new events, ms; short enough to notice a checkpoint that a rebuild has moved. */
const BLOCK_MS = 5_000;

/** Told about a projection that cannot go on, at each attempt. It goes on trying. */
export type FailureListener = (status: ProjectionStatus) => void;

/**
 * Keeps one projection up to date, on all partitions of the context, reading on a connection of its own. Every replica
 * of a service may run it: each batch is committed by the fastest one only.
 */
export class ProjectionRunner {
  private readonly partitions: readonly ProjectionPartition[];
  private readonly stopping = new AbortController();
  private reader: Reader | undefined;
  private running: Promise<void> | undefined;

  /** @param projection an instance of the class that `type` declares */
  constructor(
    private readonly broker: Broker,
    type: ProjectionClass,
    projection: object,
    private readonly failed: FailureListener = () => undefined,
  ) {
    const declaration = projectionOf(type);
    this.partitions = Array.from(
      { length: broker.partitions },
      (_, index) => new ProjectionPartition({ context: broker.context, index }, broker, declaration, projection),
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

  private async run(): Promise<void> {
    this.reader = this.broker.store.openReader();
    while (!this.stopping.signal.aborted) {
      const now = this.broker.clock.now();
      const due = (partition: ProjectionPartition) => partition.failure?.due ?? now;
      const ready = this.partitions.filter((partition) => due(partition) <= now);
      const waiting = this.partitions.filter((partition) => due(partition) > now);
      const waitMs = Math.min(BLOCK_MS, ...waiting.map((partition) => due(partition) - now));
      if (ready.length === 0) await delay(waitMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
      else await this.advance(this.reader, ready, waitMs);
    }
  }

  private async advance(reader: Reader, ready: readonly ProjectionPartition[], waitMs: number): Promise<void> {
    let entries: readonly Entry[];
    try {
      const after = await Promise.all(
        ready.map(async (at) => ({ partition: at.partition, position: await at.locate() })),
      );
      entries = await reader.readFeeds(after, BATCH, waitMs);
    } catch (error) {
      if (!this.stopping.signal.aborted) for (const partition of ready) this.fail(partition, error);
      return;
    }
    await Promise.all(
      ready.map(async (partition) => {
        const own = entries.filter((entry) => entry.source.partition.index === partition.partition.index);
        try {
          if (own.length > 0) await partition.take(own);
          else if (partition.failure?.position === undefined) partition.failure = undefined;
          if (partition.failure) this.failed(partition.status);
        } catch (error) {
          this.fail(partition, error);
        }
      }),
    );
  }

  private fail(partition: ProjectionPartition, error: unknown): void {
    partition.fail(error);
    this.failed(partition.status);
  }
}
