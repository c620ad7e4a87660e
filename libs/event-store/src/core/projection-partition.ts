import { backoff, DEFAULT_RETRY, StoreUnavailableError, UnknownOutcomeError } from '@millrace/broker';
import type { Broker, Entry, Partition, Write } from '@millrace/broker';
import type { BuildRole } from './build-record.js';
import { checkNotRewound, checkpointName, digestOf, readCheckpoint } from './checkpoint.js';
import type { Checkpoint, LocatedCheckpoint } from './checkpoint.js';
import { MissingEventsError } from './errors.js';
import { archivedGaps, gapsBehind } from './feed-gaps.js';
import type { Gap } from './feed-gaps.js';
import { fold } from './fold.js';
import type { Folded } from './fold.js';
import { parkedEventOf, parkedView } from './parked-event.js';
import type { ParkedEvent } from './parked-event.js';
import type { ProjectionFailure, ProjectionStatus } from './projection-status.js';
import type { ProjectionDeclaration } from './projection.js';
import { PersonalRows, rowPlanOf } from './personal-rows.js';
import { RowBuffer } from './row-buffer.js';
import { goneEvent, positionOf } from './stored-event.js';

/** So often the store is told that the projection lives, ms. */
const REGISTER_MS = 60_000;
/** Rows that are kept in memory from one batch to the next. */
const KNOWN_ROWS = 5_000;

/** What a build is of: the projection, and the instance whose methods fold. */
export interface Projecting {
  readonly declaration: ProjectionDeclaration;
  readonly projection: object;
  readonly build: string;
}

/** One build of a projection on one partition: its place in the feed, and its way forward. */
export class ProjectionPartition {
  failure: ProjectionFailure | undefined;
  /** The build has been removed: nothing is to be done any more. */
  gone = false;

  private at: LocatedCheckpoint = { position: 0, replayTo: 0, parked: 0, revision: 0 };
  /** False when the checkpoint must be read, because another replica may have moved it. */
  private located = false;
  private registeredAt = -Infinity;
  /** Rows as stored: nobody else writes them as long as no commit is refused. */
  private known = new Map<string, string | undefined>();

  private last: Promise<unknown> = Promise.resolve();
  private readonly personal: PersonalRows;

  constructor(
    readonly partition: Partition,
    private readonly broker: Broker,
    private readonly of: Projecting,
    private readonly role: () => BuildRole,
  ) {
    this.personal = new PersonalRows(broker, rowPlanOf(of.declaration));
  }

  /**
   * Position of the last event in the view. Nothing behind it is removed from the feed, as long as the store is told now and
   * then that the projection lives.
   */
  locate(): Promise<number> {
    return this.alone(() => this.find());
  }

  private async find(): Promise<number> {
    if (performance.now() - this.registeredAt > REGISTER_MS) await this.register();
    if (this.located) return this.at.position;
    this.known = new Map();
    const { broker, partition } = this;
    const at = await readCheckpoint(broker, partition, this.of.build);
    if (!at.removed) await checkNotRewound(broker, partition, at);
    this.at = at.revision === 0 ? { ...at, replayTo: await broker.store.head(partition) } : at;
    this.located = true;
    if (at.removed) {
      this.gone = true;
      await broker.store.expire(partition, { kind: 'checkpoint', state: checkpointName(this.of.build) }, 0);
    }
    return this.at.position;
  }

  /**
   * Projects the events after the checkpoint: rows and checkpoint in one commit. A lost commit cannot happen twice, and of
   * two replicas one is refused; both just read the checkpoint again.
   *
   * @returns the event that was parked
   */
  take(entries: readonly Entry[]): Promise<ParkedEvent | undefined> {
    return this.alone(() => this.project(entries));
  }

  private async project(entries: readonly Entry[]): Promise<ParkedEvent | undefined> {
    if (await this.passes(positionOf(entries[0]!))) return undefined;
    entries = await this.beforeArchived(entries);
    const after = this.at.position;
    const attempt = (this.failure?.attempts ?? 0) + 1;
    const rows = this.rows();
    const folded = await this.fold(entries, rows, after, attempt);
    const parked = this.parks(folded, after, attempt);
    const position = parked?.position ?? folded.position;
    if (position > after) {
      const reached = entries.find((entry) => positionOf(entry) === position)!;
      const next = { position, parked: this.at.parked + (parked ? 1 : 0), last: digestOf(reached) };
      const written = await this.write(rows, next, parked ? [parkedRow(parked)] : []);
      this.failure = undefined;
      if (!written) return undefined;
    }
    if (folded.failure && !parked) this.fail(folded.failure.error, folded.failure.position);
    return parked;
  }

  /**
   * Projects a parked event now, behind those that have been projected without it.
   *
   * @returns the event with its new failure; undefined when it is no longer parked
   */
  retry(event: ParkedEvent): Promise<ParkedEvent | undefined> {
    return this.alone(() => this.projectAgain(event));
  }

  private async projectAgain(event: ParkedEvent): Promise<ParkedEvent | undefined> {
    for (;;) {
      this.located = false;
      await this.find();
      const { broker, partition } = this;
      const view = parkedView(this.of.build);
      if ((await broker.store.readRow(partition, view, String(event.position))) === undefined) return undefined;
      const source = { partition, log: 'feed' } as const;
      const entry = await broker.store.readEntry({ source, id: `0-${event.position}` });
      const rows = this.rows();
      const { failure } = entry
        ? await this.fold([entry], rows, event.position - 1, event.attempts + 1)
        : { failure: { error: await this.missing({ from: event.position, to: event.position }) } };
      if (failure && isInfrastructure(failure.error)) throw failure.error;
      const failed = failure && { ...event, attempts: event.attempts + 1, error: errorOf(failure.error).message };
      const { position, parked, last } = this.at;
      const row: Write = failed ? parkedRow(failed) : { kind: 'row', view, id: String(event.position), value: null };
      if (
        await this.write(
          rows,
          { position, parked: parked - (failed ? 0 : 1), ...(last === undefined ? {} : { last }) },
          [row],
        )
      )
        return failed;
    }
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

  /** As it was located, or has come since. */
  get position(): number {
    return this.at.position;
  }

  get status(): ProjectionStatus {
    const { partition, failure } = this;
    const { position, parked } = this.at;
    return { projection: this.of.build, role: this.role(), partition, position, parked, failure };
  }

  /** One at a time: what a batch was folded from must be what its commit finds. */
  private alone<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.last.then(work);
    this.last = turn.catch(() => undefined);
    return turn;
  }

  private rows(): RowBuffer {
    const { known } = this;
    const stored = async (id: string): Promise<string | undefined> => {
      if (!known.has(id)) known.set(id, await this.broker.store.readRow(this.partition, this.of.build, id));
      const text = known.get(id);
      return text === undefined ? undefined : this.personal.open(this.of.build, id, text);
    };
    const { declaration } = this.of;
    return new RowBuffer(stored, declaration.indexes, rowPlanOf(declaration));
  }

  private fold(entries: readonly Entry[], rows: RowBuffer, after: number, attempt: number): Promise<Folded> {
    const { declaration, projection, build } = this.of;
    const { replayTo } = this.at;
    const replays = this.role() !== 'serving';
    const isReplay = (position: number): boolean => replays || position <= replayTo;
    return fold(this.broker, declaration, projection, entries, rows, { after, attempt, build, isReplay });
  }

  /** @returns whether nobody else has moved the checkpoint */
  private async write(
    rows: RowBuffer,
    next: Pick<Checkpoint, 'position' | 'parked' | 'last'>,
    more: readonly Write[],
  ): Promise<boolean> {
    const { build } = this.of;
    const state = checkpointName(build);
    const { revision, replayTo } = this.at;
    const checkpoint: Checkpoint = { ...next, replayTo };
    this.located = false;
    const written = await this.personal.seal(rows.writes(build));
    const { status } = await this.broker.commit({
      partition: this.partition,
      guards: [{ kind: 'revision', state, expected: revision }],
      writes: [...written, ...more, { kind: 'put', state, value: JSON.stringify(checkpoint) }],
    });
    if (status === 'refused') return false;
    for (const { id, value } of written) this.known.set(id, value ?? undefined);
    if (this.known.size > KNOWN_ROWS) this.known = new Map();
    this.at = { ...checkpoint, revision: revision + 1 };
    this.located = true;
    return true;
  }

  /** The event that failed, when the rule is to go on without it. */
  private parks({ failure }: Folded, after: number, attempt: number): ParkedEvent | undefined {
    const { declaration, build } = this.of;
    if (!failure || declaration.onFailure !== 'park' || isInfrastructure(failure.error)) return undefined;
    const attempts = failure.position === after + 1 ? attempt : 1;
    if (attempts < declaration.attempts) return undefined;
    return parkedEventOf(this.broker, build, failure.entry, errorOf(failure.error), attempts);
  }

  /** Whether what comes next is not `next`: another replica is further, or events are missing. */
  private async passes(next: number): Promise<boolean> {
    if (this.of.declaration.mode === 'inline') {
      // Most events are in the view since their own commit.
      this.located = false;
      await this.find();
      if (this.at.position >= next) return true;
    }
    if (next === this.at.position + 1) return false;
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

  private async missing(gap: Gap): Promise<Error> {
    const { partition } = this;
    const [archived] = await archivedGaps(this.broker.store, partition, [gap]);
    return archived
      ? goneEvent({ partition, position: archived.from })
      : new MissingEventsError(partition, gap.from, gap.to);
  }

  private async register(): Promise<void> {
    const state = checkpointName(this.of.build);
    await this.broker.store.register(this.partition, [{ kind: 'checkpoint', state }]);
    this.registeredAt = performance.now();
  }
}

function parkedRow(event: ParkedEvent): Write {
  const value = JSON.stringify(event);
  return { kind: 'row', view: parkedView(event.projection), id: String(event.position), value };
}

function isInfrastructure(cause: unknown): boolean {
  return cause instanceof StoreUnavailableError || cause instanceof UnknownOutcomeError;
}

function errorOf(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}
