import { backoff, DEFAULT_RETRY, StoreUnavailableError, UnknownOutcomeError } from '@millrace/broker';
import type { Broker, Entry, Partition } from '@millrace/broker';
import { MissingEventsError } from './errors.js';
import { fold } from './fold.js';
import type { ProjectionDeclaration } from './projection.js';
import { RowBuffer } from './row-buffer.js';
import { positionOf } from './stored-event.js';

/** So often the store is told that the projection lives, ms. */
const REGISTER_MS = 60_000;

/** How one projection stands on one partition. */
export interface ProjectionStatus {
  readonly projection: string;
  readonly partition: Partition;
  /** Position of the last event in the view. */
  readonly position: number;
  /** Set while the projection cannot get past an event, or cannot reach the store. */
  readonly failure: ProjectionFailure | undefined;
}

export interface ProjectionFailure {
  /** The event that fails; undefined when the store does. */
  readonly position: number | undefined;
  readonly attempts: number;
  readonly error: Error;
  /** When it is tried again, ms since 1970. */
  readonly due: number;
}

/** One projection on one partition: its place in the feed, and its way forward. */
export class ProjectionPartition {
  failure: ProjectionFailure | undefined;

  private position = 0;
  private revision = 0;
  /** False when the checkpoint must be read, because another replica may have moved it. */
  private located = false;
  private registeredAt = -Infinity;

  constructor(
    readonly partition: Partition,
    private readonly broker: Broker,
    private readonly declaration: ProjectionDeclaration,
    private readonly projection: object,
  ) {}

  /**
   * Position of the last event in the view. Nothing behind it is removed from the feed, as long as the store is told now and
   * then that the projection lives.
   */
  async locate(): Promise<number> {
    if (performance.now() - this.registeredAt > REGISTER_MS) await this.register();
    if (this.located) return this.position;
    const stored = await this.broker.store.readState(this.partition, this.declaration.checkpoint);
    this.revision = stored?.revision ?? 0;
    this.position = stored ? (JSON.parse(stored.value) as { position: number }).position : 0;
    this.located = true;
    return this.position;
  }

  /**
   * Projects the events after the checkpoint: rows and checkpoint in one commit. A lost commit cannot happen twice, and of
   * two replicas one is refused; both just read the checkpoint again.
   */
  async take(entries: readonly Entry[]): Promise<void> {
    const after = this.position;
    const { name, checkpoint } = this.declaration;
    if (await this.passes(positionOf(entries[0]!))) return;
    const rows = new RowBuffer((id) => this.broker.store.readRow(this.partition, name, id));
    const attempt = (this.failure?.attempts ?? 0) + 1;
    const { position, failure } = await fold(this.broker, this.declaration, this.projection, entries, rows, {
      after,
      attempt,
    });
    if (position > after) {
      this.located = false;
      const result = await this.broker.commit({
        partition: this.partition,
        guards: [{ kind: 'revision', state: checkpoint, expected: this.revision }],
        writes: [...rows.writes(name), { kind: 'put', state: checkpoint, value: JSON.stringify({ position }) }],
      });
      this.failure = undefined;
      if (result.status === 'refused') return;
      this.position = position;
      this.revision++;
      this.located = true;
    }
    if (failure) this.fail(failure.error, failure.position);
  }

  /** Waits longer with each failure in a row. */
  fail(cause: unknown, position?: number): void {
    const infrastructure = cause instanceof StoreUnavailableError || cause instanceof UnknownOutcomeError;
    if (infrastructure) this.located = false;
    const attempts = (this.failure?.attempts ?? 0) + 1;
    const wait = backoff(DEFAULT_RETRY, Math.min(attempts, 20), Math.random());
    this.failure = {
      position: infrastructure ? undefined : position,
      attempts,
      error: cause instanceof Error ? cause : new Error(String(cause)),
      due: this.broker.clock.now() + wait,
    };
  }

  /** Whether what comes next is not `next`: another replica is further, or events are missing. */
  private async passes(next: number): Promise<boolean> {
    // A new projection begins with what is there.
    if (next === this.position + 1 || this.revision === 0) return false;
    this.located = false;
    const position = await this.locate();
    if (next > position + 1) this.fail(new MissingEventsError(this.partition, position + 1, next - 1), next);
    return true;
  }

  private async register(): Promise<void> {
    await this.broker.store.register(this.partition, [{ kind: 'checkpoint', state: this.declaration.checkpoint }]);
    this.registeredAt = performance.now();
  }

  get status(): ProjectionStatus {
    const { partition, position, failure } = this;
    return { projection: this.declaration.name, partition, position, failure };
  }
}
