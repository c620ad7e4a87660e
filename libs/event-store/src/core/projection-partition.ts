import { backoff, DEFAULT_RETRY, StoreUnavailableError, UnknownOutcomeError } from '@millrace/broker';
import type { Broker, Entry, Partition } from '@millrace/broker';
import type { BuildRole } from './build-record.js';
import { checkpointName } from './checkpoint.js';
import type { LocatedCheckpoint } from './checkpoint.js';
import { MissingEventsError } from './errors.js';
import { archivedGaps, gapsBehind } from './feed-gaps.js';
import type { Gap } from './feed-gaps.js';
import { fold } from './fold.js';
import type { FailedEvent, Folded, FoldTarget } from './fold.js';
import { parkedEventOf } from './parked-event.js';
import type { ParkedEvent } from './parked-event.js';
import type { ProjectionFailure, ProjectionStatus } from './projection-status.js';
import type { ProjectionDeclaration } from './projection.js';
import { goneEvent, positionOf } from './stored-event.js';

/** So often the store is told that the projection lives, ms. */
const REGISTER_MS = 60_000;

/** What a build is of: the projection, and the instance whose methods fold. */
export interface Projecting {
  readonly declaration: ProjectionDeclaration;
  readonly projection: object;
  readonly build: string;
}

/** One build of a projection on one partition: its place in the feed, and its way forward. */
export abstract class ProjectionPartition {
  failure: ProjectionFailure | undefined;
  /** The build has been removed: nothing is to be done any more. */
  gone = false;

  protected at: LocatedCheckpoint = { position: 0, replayTo: 0, parked: 0, revision: 0 };
  /** False when the checkpoint must be read, because another replica may have moved it. */
  protected located = false;
  private registeredAt = -Infinity;
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    readonly partition: Partition,
    protected readonly broker: Broker,
    protected readonly of: Projecting,
    private readonly role: () => BuildRole,
  ) {}

  /**
   * Position of the last event in the view. Nothing behind it is removed from the feed, as long as the store is told now and
   * then that the projection lives.
   */
  locate(): Promise<number> {
    return this.alone(() => this.find());
  }

  /**
   * Projects the events after the checkpoint: rows and checkpoint in one commit. A lost commit cannot happen twice, and of
   * two replicas one is refused; both just read the checkpoint again.
   *
   * @param more whether there are more to take at once: then the commit may be left to a later call, or to {@link settle}
   * @returns the event that was parked
   */
  take(entries: readonly Entry[], more = false): Promise<ParkedEvent | undefined> {
    return this.alone(async () => {
      if (await this.passes(positionOf(entries[0]!))) return undefined;
      const whole = await this.beforeArchived(entries);
      return this.project(whole, more && whole.length === entries.length);
    });
  }

  /** Commits what was taken so far. */
  settle(): Promise<void> {
    return this.alone(async () => void (await this.commitOpen()));
  }

  /**
   * Projects a parked event now, behind those that have been projected without it.
   *
   * @returns the event with its new failure; undefined when it is no longer parked
   */
  retry(event: ParkedEvent): Promise<ParkedEvent | undefined> {
    return this.alone(() => this.projectAgain(event));
  }

  /** Waits longer with each failure in a row. */
  fail(cause: unknown, position?: number): void {
    const infrastructure = isInfrastructure(cause);
    // Behind a lost connection may stand another server.
    this.located = false;
    const attempts = (this.failure?.attempts ?? 0) + 1;
    const wait = backoff(DEFAULT_RETRY, Math.min(attempts, 20), Math.random());
    this.failure = {
      position: infrastructure ? undefined : position,
      attempts,
      error: errorOf(cause),
      due: this.broker.clock.now() + wait,
    };
  }

  /** Position of the last event that was taken: those behind it are to be read. */
  get reached(): number {
    return this.at.position;
  }

  /** Whether events were taken that are not in the view yet. */
  get isOpen(): boolean {
    return false;
  }

  get status(): ProjectionStatus {
    const { partition, failure } = this;
    const { position, parked } = this.at;
    return { projection: this.of.build, role: this.role(), partition, position, parked, failure };
  }

  /** Reads how far the build is. @throws LogRewoundError when the feed is not the one that it has had */
  protected abstract look(): Promise<LocatedCheckpoint>;

  protected abstract project(entries: readonly Entry[], more: boolean): Promise<ParkedEvent | undefined>;

  protected abstract projectAgain(event: ParkedEvent): Promise<ParkedEvent | undefined>;

  /** @returns false when another replica has been faster */
  protected async commitOpen(): Promise<boolean> {
    return true;
  }

  protected async find(): Promise<number> {
    if (performance.now() - this.registeredAt > REGISTER_MS) await this.register();
    if (this.located) return this.at.position;
    this.at = await this.look();
    this.located = true;
    if (this.at.removed) {
      this.gone = true;
      await this.broker.store.expire(this.partition, { kind: 'checkpoint', state: this.state }, 0);
    }
    return this.at.position;
  }

  /** Attempts at the event after the checkpoint, the next one included. */
  protected get attempt(): number {
    return (this.failure?.attempts ?? 0) + 1;
  }

  protected fold(entries: readonly Entry[], target: FoldTarget, after: number, attempt: number): Promise<Folded> {
    const { declaration, projection, build } = this.of;
    const { replayTo } = this.at;
    const replays = this.role() !== 'serving';
    const isReplay = (position: number): boolean => replays || position <= replayTo;
    return fold(this.broker, declaration, projection, entries, target, { after, attempt, build, isReplay });
  }

  /** An event that failed, when the rule is to go on without it. */
  protected parks(failure: FailedEvent | undefined): ParkedEvent | undefined {
    const { declaration, build } = this.of;
    if (!failure || declaration.onFailure !== 'park' || isInfrastructure(failure.error)) return undefined;
    const attempts = failure.position === this.at.position + 1 ? this.attempt : 1;
    if (attempts < declaration.attempts) return undefined;
    return parkedEventOf(this.broker, build, failure.entry, errorOf(failure.error), attempts);
  }

  /** Name of the state that holds the checkpoint. */
  protected get state(): string {
    return checkpointName(this.of.build);
  }

  /** Whether what comes next is not `next`: another replica is further, or events are missing. */
  private async passes(next: number): Promise<boolean> {
    if (this.of.declaration.mode === 'inline') {
      // Most events are in the view since their own commit.
      this.located = false;
      await this.find();
      if (this.at.position >= next) return true;
    }
    if (next === this.reached + 1) return false;
    if (!(await this.commitOpen())) return true;
    if (this.at.revision === 0) {
      // A new projection begins with what is there, unless there is more in an archive.
      const gap = { from: 1, to: next - 1 };
      if ((await archivedGaps(this.broker.store, this.partition, [gap])).length === 0) return false;
      this.fail(await this.missing(gap), next);
      return true;
    }
    this.located = false;
    const position = await this.find();
    if (next > position + 1) this.fail(await this.missing({ from: position + 1, to: next - 1 }), next);
    return true;
  }

  /** Those that stand before a gap in the archive. */
  private async beforeArchived(entries: readonly Entry[]): Promise<readonly Entry[]> {
    const gaps = gapsBehind(positionOf(entries[0]!), entries);
    const [gap] = await archivedGaps(this.broker.store, this.partition, gaps);
    return gap ? entries.filter((entry) => positionOf(entry) < gap.from) : entries;
  }

  /** Why events that should be there are not. */
  protected async missing(gap: Gap): Promise<Error> {
    const { partition } = this;
    const [archived] = await archivedGaps(this.broker.store, partition, [gap]);
    return archived
      ? goneEvent({ partition, position: archived.from })
      : new MissingEventsError(partition, gap.from, gap.to);
  }

  /** One at a time: what a batch was folded from must be what its commit finds. */
  private alone<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.last.then(work);
    this.last = turn.catch(() => undefined);
    return turn;
  }

  private async register(): Promise<void> {
    await this.broker.store.register(this.partition, [{ kind: 'checkpoint', state: this.state }]);
    this.registeredAt = performance.now();
  }
}

/** Of the store or the database, not of the event: it will pass, and parks nothing. */
export function isInfrastructure(cause: unknown): boolean {
  return cause instanceof StoreUnavailableError || cause instanceof UnknownOutcomeError;
}

export function errorOf(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}
