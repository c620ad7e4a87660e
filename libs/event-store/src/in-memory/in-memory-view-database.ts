import type { Checkpoint } from '../core/checkpoint.js';
import type { ParkedEvent } from '../core/parked-event.js';
import type { ViewBuild, ViewChange, ViewDatabase, ViewPlace, ViewTransaction } from '../core/view-database.js';

/** The rows of a build by their names. */
export type InMemoryRows = Map<string, unknown>;

interface Build {
  rows: InMemoryRows;
  readonly checkpoints: Map<number, Checkpoint>;
  readonly parked: Map<string, ParkedEvent>;
}

/** A database in the memory of one process, for tests of projections without a server. One transaction at a time. */
export class InMemoryViewDatabase implements ViewDatabase<InMemoryRows> {
  readonly name = 'memory';
  private readonly builds = new Map<string, Build>();
  private last: Promise<unknown> = Promise.resolve();

  async checkpoint({ partition, ...of }: ViewPlace): Promise<Checkpoint | undefined> {
    return this.builds.get(keyOf(of))?.checkpoints.get(partition);
  }

  transact(
    place: ViewPlace,
    work: (transaction: ViewTransaction<InMemoryRows>) => Promise<ViewChange | undefined>,
  ): Promise<void> {
    return this.alone(async () => {
      const { partition } = place;
      const build = this.build(place);
      const handle = structuredClone(build.rows);
      const checkpoint = build.checkpoints.get(partition);
      const parked = async (position: number) => build.parked.get(noteOf(partition, position));
      const change = await work({ handle, checkpoint, parked });
      if (!change) return;
      build.rows = handle;
      build.checkpoints.set(partition, change.checkpoint);
      if (change.park) build.parked.set(noteOf(partition, change.park.position), change.park);
      if (change.unpark !== undefined) build.parked.delete(noteOf(partition, change.unpark));
    });
  }

  begin(of: ViewBuild, create: (handle: InMemoryRows) => Promise<void>): Promise<void> {
    return this.alone(async () => {
      if (this.builds.has(keyOf(of))) return;
      const rows: InMemoryRows = new Map();
      await create(rows);
      this.build(of).rows = rows;
    });
  }

  drop(of: ViewBuild, partitions: number): Promise<void> {
    return this.alone(async () => {
      const removed = { position: 0, replayTo: 0, parked: 0, removed: true } as const;
      const checkpoints = new Map(Array.from({ length: partitions }, (_, index) => [index, removed]));
      this.builds.set(keyOf(of), { rows: new Map(), checkpoints, parked: new Map() });
    });
  }

  async read<T>(of: ViewBuild, work: (handle: InMemoryRows) => Promise<T>): Promise<T> {
    return work(structuredClone(this.builds.get(keyOf(of))?.rows ?? new Map<string, unknown>()));
  }

  async parked(of: ViewBuild): Promise<readonly ParkedEvent[]> {
    const found = [...(this.builds.get(keyOf(of))?.parked.values() ?? [])];
    return found.sort((a, b) => a.partition.index - b.partition.index || a.position - b.position);
  }

  private build(of: ViewBuild): Build {
    let build = this.builds.get(keyOf(of));
    if (!build) this.builds.set(keyOf(of), (build = { rows: new Map(), checkpoints: new Map(), parked: new Map() }));
    return build;
  }

  private alone<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.last.then(work);
    this.last = turn.catch(() => undefined);
    return turn;
  }
}

function keyOf({ context, build }: ViewBuild): string {
  return JSON.stringify([context, build]);
}

function noteOf(partition: number, position: number): string {
  return `${partition}/${position}`;
}
