import { setTimeout as wait } from 'node:timers/promises';
import type { Broker, Partition } from '@millrace/broker';
import { buildName, declared } from './build-record.js';
import type { BuildRecord, ProjectionVersion } from './build-record.js';
import { checkpointName, readCheckpoint } from './checkpoint.js';
import { parkedView } from './parked-event.js';

/**
 * Where it is kept which build of a projection serves: one state in the first partition of the context, so that a switch is
 * one commit.
 */
export class ProjectionBuilds {
  private readonly home: Partition;
  private readonly state: string;

  constructor(
    private readonly broker: Broker,
    private readonly of: ProjectionVersion,
  ) {
    this.home = { context: broker.context, index: 0 };
    this.state = `projection.${of.projection}`;
  }

  /** The build that serves; before any has been declared, the first one of this version. */
  async serving(): Promise<string> {
    return (await this.read()).record?.serving ?? buildName(this.of);
  }

  async read(): Promise<{ readonly record: BuildRecord | undefined; readonly revision: number }> {
    const stored = await this.broker.store.readState(this.home, this.state);
    return { record: stored && (JSON.parse(stored.value) as BuildRecord), revision: stored?.revision ?? 0 };
  }

  /**
   * Changes the record, once more on the newer one when somebody was faster.
   *
   * @param decide the record to be; the same, or undefined: nothing changes
   */
  async change<R extends BuildRecord | undefined>(decide: (record: BuildRecord | undefined) => R): Promise<R> {
    for (;;) {
      const { record, revision } = await this.read();
      const next = decide(record);
      if (next === undefined || next === record) return next;
      const { status } = await this.broker.commit({
        partition: this.home,
        guards: [{ kind: 'revision', state: this.state, expected: revision }],
        writes: [{ kind: 'put', state: this.state, value: JSON.stringify(next) }],
      });
      if (status === 'committed') return next;
      await wait(Math.random() * 10);
    }
  }

  /** Says that a process has this version. */
  declare(): Promise<BuildRecord> {
    return this.change((record) => declared(record, this.of));
  }

  /** Whether a build has all events that are stored now. */
  async caughtUp(build: string): Promise<boolean> {
    const places = await this.places(build);
    return places.every(({ position, head }) => position >= head);
  }

  /** How far a build is on each partition. */
  places(build: string): Promise<readonly BuildPlace[]> {
    return Promise.all(
      this.partitions.map(async (partition) => {
        const head = await this.broker.store.head(partition);
        const { position } = await readCheckpoint(this.broker, partition, build);
        return { partition, position, head };
      }),
    );
  }

  /** The database that has the rows of a build, when it is another one. */
  async databaseOf(build: string): Promise<string | undefined> {
    const checkpoints = await Promise.all(
      this.partitions.map((partition) => readCheckpoint(this.broker, partition, build)),
    );
    return checkpoints.find((checkpoint) => checkpoint.in !== undefined)?.in;
  }

  /**
   * Removes rows, indexes and parked events of a build that no longer stands in the record. May be repeated.
   *
   * @param database the other one that has its rows, and keeps them
   */
  async remove(build: string, database?: string): Promise<void> {
    const state = checkpointName(build);
    const removed = JSON.stringify({ position: 0, removed: true, in: database });
    for (const partition of this.partitions) {
      // A process that still runs this build finds its revision gone and reads this, instead of beginning anew.
      await this.broker.commit({
        partition,
        guards: [],
        writes: [
          { kind: 'drop-view', view: build },
          { kind: 'drop-view', view: parkedView(build) },
          { kind: 'put', state, value: removed, ttlMs: REMEMBERED_MS },
        ],
      });
      await this.broker.store.expire(partition, { kind: 'checkpoint', state }, 0);
    }
  }

  get partitions(): readonly Partition[] {
    const { context, partitions } = this.broker;
    return Array.from({ length: partitions }, (_, index) => ({ context, index }));
  }
}

/** How far a build is on one partition. */
export interface BuildPlace {
  readonly partition: Partition;
  /** Position of the last event in the view. */
  readonly position: number;
  /** Position of the last event there is. */
  readonly head: number;
}

/** Longer than any process goes without looking which builds there are. */
const REMEMBERED_MS = 7 * 24 * 3_600_000;
