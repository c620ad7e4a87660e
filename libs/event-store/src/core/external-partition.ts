import type { Broker, Entry, Partition } from '@millrace/broker';
import type { BuildRole } from './build-record.js';
import { checkNotRewound, digestOf, readCheckpoint } from './checkpoint.js';
import type { Checkpoint, LocatedCheckpoint } from './checkpoint.js';
import { ProjectionBuildError } from './errors.js';
import type { ExternalProjection } from './external-projection.js';
import type { FailedEvent } from './fold.js';
import type { ParkedEvent } from './parked-event.js';
import { errorOf, isInfrastructure, ProjectionPartition } from './projection-partition.js';
import type { Projecting } from './projection-partition.js';
import { positionOf } from './stored-event.js';
import type { ViewPlace, ViewTransaction } from './view-database.js';

/** What one transaction has come to. */
type Outcome =
  | { readonly kind: 'done' }
  /** Another replica is further. */
  | { readonly kind: 'moved' }
  /** This event failed. */
  | { readonly kind: 'failed'; readonly failure: FailedEvent }
  /** No event failed, and the database did not take what they have written. */
  | { readonly kind: 'refused'; readonly error: unknown };

/**
 * Of a build whose rows stand in another database: rows and checkpoint are one transaction there. The store of the events has
 * a copy of the checkpoint, for retention, for who waits and for who watches. The copy is written after the transaction, so
 * it may be behind and never ahead.
 */
export class ExternalPartition extends ProjectionPartition {
  private readonly projection: ExternalProjection<unknown>;
  private readonly place: ViewPlace;

  constructor(partition: Partition, broker: Broker, of: Projecting, role: () => BuildRole) {
    super(partition, broker, of, role);
    this.projection = of.projection as ExternalProjection<unknown>;
    this.place = { context: partition.context, build: of.build, partition: partition.index };
  }

  /** Also brings the copy up to date. */
  protected override async look(): Promise<LocatedCheckpoint> {
    const { broker, partition, place } = this;
    const { database } = this.projection;
    for (;;) {
      // First the copy: when it is still this one, nobody has written it since the checkpoint was read.
      const copy = await readCheckpoint(broker, partition, place.build);
      if (copy.removed) return copy;
      const found = await database.checkpoint(place);
      if (found?.removed) {
        throw new ProjectionBuildError(
          `${place.build} has been removed from ${database.name}: count the version of the projection up, to build another one`,
        );
      }
      if (!found) await database.begin(place, async (handle) => this.projection.create(handle));
      // With a copy and without rows they have been lost: then the build begins again with the first event, or not at all.
      const at = found ?? { position: 0, replayTo: await broker.store.head(partition), parked: 0 };
      const revision = found && copy.revision === 0 ? 1 : copy.revision;
      await checkNotRewound(broker, partition, { ...at, revision });
      const isCurrent = found ? isSame(copy, found) && copy.revision > 0 : copy.position === 0;
      if (isCurrent) return { ...at, revision: copy.revision };
      if (await this.tell(at, copy.revision)) return { ...at, revision: copy.revision + 1 };
    }
  }

  protected override async project(entries: readonly Entry[]): Promise<ParkedEvent | undefined> {
    let taken = entries;
    let failure: FailedEvent | undefined;
    for (;;) {
      const parked = this.parks(failure);
      if (taken.length === 0 && !parked) break;
      const outcome = await this.transact(taken, failure && parked && { ...failure, parked });
      if (outcome.kind === 'failed') {
        // What the events before it have written was taken back with it: once more, without it.
        failure = outcome.failure;
        taken = taken.slice(
          0,
          taken.findIndex((entry) => positionOf(entry) === failure?.position),
        );
      } else if (outcome.kind === 'refused') {
        const [first] = taken;
        if (!first) throw outcome.error;
        // One of them is to blame, by a constraint that is checked in the end or a failed statement that it ignored.
        failure = taken.length > 1 ? undefined : { position: positionOf(first), entry: first, error: outcome.error };
        taken = taken.length > 1 ? taken.slice(0, Math.ceil(taken.length / 2)) : [];
      } else {
        if (outcome.kind === 'done' && failure && !parked) this.fail(failure.error, failure.position);
        return outcome.kind === 'done' ? parked : undefined;
      }
    }
    if (failure) this.fail(failure.error, failure.position);
    return undefined;
  }

  protected override async projectAgain(event: ParkedEvent): Promise<ParkedEvent | undefined> {
    this.located = false;
    await this.find();
    const { broker, partition } = this;
    const { position, attempts } = event;
    const entry = await broker.store.readEntry({ source: { partition, log: 'feed' }, id: `0-${position}` });
    const failed = await this.unpark(event, async ({ handle }) => {
      if (!entry) throw await this.missing({ from: position, to: position });
      const { failure } = await this.fold([entry], { handle }, position - 1, attempts + 1);
      if (failure) throw failure.error;
      return undefined;
    }).catch((error: unknown) => {
      if (isInfrastructure(error)) throw error;
      return this.unpark(event, async () => ({ ...event, attempts: attempts + 1, error: errorOf(error).message }));
    });
    this.located = false;
    await this.find();
    return failed;
  }

  /** @param goesOn the event that is parked behind those that are taken */
  private async transact(
    entries: readonly Entry[],
    goesOn: (FailedEvent & { readonly parked: ParkedEvent }) | undefined,
  ): Promise<Outcome> {
    const reached = goesOn?.entry ?? entries.at(-1)!;
    const { position: after, replayTo, revision } = this.at;
    let checkpoint: Checkpoint | undefined;
    let failure: FailedEvent | undefined;
    this.located = false;
    try {
      await this.projection.database.transact(this.place, async ({ handle, checkpoint: found }) => {
        if (found?.removed || (found?.position ?? 0) !== after) return undefined;
        ({ failure } = await this.fold(entries, { handle }, after, this.attempt));
        if (failure) throw failure.error;
        const parked = (found?.parked ?? 0) + (goesOn ? 1 : 0);
        checkpoint = { position: positionOf(reached), replayTo, parked, last: digestOf(reached) };
        return { checkpoint, ...(goesOn ? { park: goesOn.parked } : {}) };
      });
    } catch (error) {
      if (isInfrastructure(error)) throw error;
      return failure ? { kind: 'failed', failure } : { kind: 'refused', error };
    }
    this.failure = undefined;
    if (!checkpoint) return { kind: 'moved' };
    this.at = { ...checkpoint, revision };
    this.located = await this.tell(checkpoint, revision);
    if (this.located) this.at = { ...checkpoint, revision: revision + 1 };
    return { kind: 'done' };
  }

  /** @param work answers the note that stays; undefined: the event is no longer parked */
  private async unpark(
    { position }: ParkedEvent,
    work: (transaction: ViewTransaction<unknown>) => Promise<ParkedEvent | undefined>,
  ): Promise<ParkedEvent | undefined> {
    let failed: ParkedEvent | undefined;
    await this.projection.database.transact(this.place, async (transaction) => {
      const { checkpoint } = transaction;
      failed = undefined;
      if (!checkpoint || !(await transaction.parked(position))) return undefined;
      failed = await work(transaction);
      if (failed) return { checkpoint, park: failed };
      return { checkpoint: { ...checkpoint, parked: checkpoint.parked - 1 }, unpark: position };
    });
    return failed;
  }

  /** Writes the copy. @returns false when somebody else has written it meanwhile */
  private async tell(checkpoint: Checkpoint, revision: number): Promise<boolean> {
    const { state } = this;
    const { status } = await this.broker.commit({
      partition: this.partition,
      guards: [{ kind: 'revision', state, expected: revision }],
      writes: [{ kind: 'put', state, value: JSON.stringify({ ...checkpoint, in: this.projection.database.name }) }],
    });
    return status === 'committed';
  }
}

function isSame(a: Checkpoint, b: Checkpoint): boolean {
  return a.position === b.position && a.last === b.last && a.parked === b.parked && a.replayTo === b.replayTo;
}
