import { setTimeout as delay } from 'node:timers/promises';
import type { Broker, Partition } from '@millrace/broker';
import { begun, cancelled, cleared, rolledBack, versionOf, without } from './build-record.js';
import type { BuildRecord, ProjectionVersion } from './build-record.js';
import { readCheckpoint } from './checkpoint.js';
import { ProjectionBehindError, ProjectionBuildError } from './errors.js';
import { parkedView } from './parked-event.js';
import type { ParkedEvent } from './parked-event.js';
import { ProjectionBuilds } from './projection-builds.js';
import type { BuildPlace } from './projection-builds.js';
import type { ViewDatabase } from './view-database.js';

/** A place in a feed, as an append tells it. */
export interface Place {
  readonly partition: Partition;
  readonly position: number;
}

export interface WaitOptions {
  /** Default 5000. */
  readonly timeoutMs?: number;
  /** Ends the wait with its reason. */
  readonly signal?: AbortSignal;
}

export interface BuildProgress {
  readonly build: string;
  readonly places: readonly BuildPlace[];
}

/** How often a store is asked while something is waited for, ms. */
const POLL_MS = { first: 2, longest: 50 };

/** What can be done with a projection from outside, in any process: it is the processes that run it who do the work. */
export class ProjectionControl {
  private readonly builds: ProjectionBuilds;

  /** @param database where the rows stand, when that is another one: `projection.database` */
  constructor(
    private readonly broker: Broker,
    private readonly of: ProjectionVersion,
    private readonly database?: Pick<ViewDatabase<never>, 'name' | 'parked' | 'drop'>,
  ) {
    this.builds = new ProjectionBuilds(broker, of);
  }

  /** Which builds there are; undefined before anybody has run the projection. */
  async record(): Promise<BuildRecord | undefined> {
    return (await this.builds.read()).record;
  }

  /**
   * Waits until the view has the events up to these places, in the build that serves. Without places: all events that are
   * stored now, so that whoever has written reads what was written.
   *
   * @throws ProjectionBehindError that says how far it is
   */
  async waitFor(places?: Place | readonly Place[], { timeoutMs = 5_000, signal }: WaitOptions = {}): Promise<void> {
    const end = performance.now() + timeoutMs;
    const wanted = places === undefined ? await this.heads() : [places].flat();
    for (let pause = POLL_MS.first; ; pause = Math.min(2 * pause, POLL_MS.longest)) {
      const build = await this.builds.serving();
      const reached = await Promise.all(
        wanted.map(async (place) => (await readCheckpoint(this.broker, place.partition, build)).position),
      );
      const behind = wanted.findIndex(({ position }, i) => reached[i]! < position);
      if (behind < 0) return;
      if (performance.now() + pause > end) {
        const { partition, position } = wanted[behind]!;
        const head = await this.broker.store.head(partition);
        throw new ProjectionBehindError(build, partition, position, reached[behind]!, head, timeoutMs);
      }
      await delay(pause, undefined, { ...(signal ? { signal } : {}) });
    }
  }

  /**
   * Begins a new build of this version, from the first event, beside the one that serves: that goes on serving until the
   * new one has caught up, and is kept then, for {@link rollback}. A build of this version that is under way goes on.
   *
   * @returns the build
   * @throws ProjectionBuildError when another version is being built, or nobody has ever run the projection
   */
  async rebuild(): Promise<string> {
    const { building } = await this.builds.change((record) => {
      if (!record)
        throw new ProjectionBuildError(`projection ${this.of.projection} has never run: start a service with it`);
      const { building: underWay } = record;
      if (underWay === undefined) return begun(record, this.of);
      if (versionOf(underWay) === this.of.version) return record;
      throw new ProjectionBuildError(`${underWay} is being built: wait for it, or cancel it`);
    });
    return building!;
  }

  /** Gives up the build that is under way; false when none is. */
  async cancel(): Promise<boolean> {
    return (await this.builds.change((record) => record && cancelled(record))) !== undefined;
  }

  /**
   * Lets the build that served before serve again. It is as far as those who run its version have kept it.
   *
   * @returns the build that serves now
   * @throws ProjectionBuildError when there is none
   */
  async rollback(): Promise<string> {
    const { serving } = await this.builds.change((record) => {
      const back = record && rolledBack(record);
      if (back) return back;
      throw new ProjectionBuildError(
        `projection ${this.of.projection} has no build to go back to: it has been removed`,
      );
    });
    return serving;
  }

  /**
   * Removes the builds that served before, or were given up: rows, indexes, checkpoints.
   *
   * @returns their names
   * @throws ProjectionBuildError when the rows stand in another database, which this control was not given
   */
  async removeOld(): Promise<readonly string[]> {
    const { record: before } = await this.builds.read();
    for (const build of (before && cleared(before).dropped) ?? []) await this.reachRowsOf(build);
    const record = await this.builds.change((found) => found && cleared(found));
    const dropped = record?.dropped ?? [];
    for (const build of dropped) {
      await this.builds.remove(build, this.database?.name);
      await this.database?.drop({ context: this.broker.context, build }, this.broker.partitions);
    }
    await this.builds.change((found) => found && without(found, dropped));
    return dropped;
  }

  /**
   * How far the build under way is, each time it has come further; ends when it serves or was given up. Nothing when no
   * build is under way.
   */
  async *progress({ signal }: Pick<WaitOptions, 'signal'> = {}): AsyncGenerator<BuildProgress, void> {
    let told = '';
    let last: string | undefined;
    for (;;) {
      const record = await this.record();
      const build = record?.building ?? (record?.serving === last ? last : undefined);
      if (build === undefined || (last !== undefined && build !== last)) return;
      const places = await this.builds.places(build);
      const now = JSON.stringify(places);
      if (now !== told) yield { build, places };
      if (record?.building === undefined) return;
      [told, last] = [now, build];
      await delay(POLL_MS.longest, undefined, { ...(signal ? { signal } : {}) });
    }
  }

  /**
   * The events that the build which serves has gone on without, oldest first in each partition.
   *
   * @throws ProjectionBuildError when they stand in another database, which this control was not given
   */
  async parked(): Promise<readonly ParkedEvent[]> {
    const build = await this.builds.serving();
    if (this.database) return this.database.parked({ context: this.broker.context, build });
    await this.reachRowsOf(build);
    const view = parkedView(build);
    const found = await Promise.all(
      this.builds.partitions.map((partition) => this.broker.store.readRows(partition, view)),
    );
    return found.flatMap((rows) =>
      Array.from(rows.values(), (row) => JSON.parse(row) as ParkedEvent).sort((a, b) => a.position - b.position),
    );
  }

  private async reachRowsOf(build: string): Promise<void> {
    if (this.database) return;
    const database = await this.builds.databaseOf(build);
    if (database === undefined) return;
    throw new ProjectionBuildError(
      `the rows of ${build} stand in ${database}, which cannot be reached from here: ask the service that runs ` +
        `projection ${this.of.projection}, by \`projections.of(...)\``,
    );
  }

  private heads(): Promise<readonly Place[]> {
    return Promise.all(
      this.builds.partitions.map(async (partition) => ({
        partition,
        position: await this.broker.store.head(partition),
      })),
    );
  }
}
