import type { Broker, Entry, Partition, Write } from '@millrace/broker';
import type { BuildRole } from './build-record.js';
import { checkNotRewound, digestOf, readCheckpoint } from './checkpoint.js';
import type { Checkpoint, LocatedCheckpoint } from './checkpoint.js';
import { KnownRows } from './known-rows.js';
import { OpenBatch } from './open-batch.js';
import { parkedView } from './parked-event.js';
import type { ParkedEvent } from './parked-event.js';
import { errorOf, isInfrastructure, ProjectionPartition } from './projection-partition.js';
import type { Projecting } from './projection-partition.js';
import { PersonalRows, rowPlanOf } from './personal-rows.js';
import { RowBuffer } from './row-buffer.js';
import { positionOf } from './stored-event.js';

/** Of a build whose rows stand beside the events: rows and checkpoint are one commit of the store. */
export class RowPartition extends ProjectionPartition {
  private readonly personal: PersonalRows;
  private readonly known: KnownRows;
  private open: OpenBatch | undefined;

  constructor(partition: Partition, broker: Broker, of: Projecting, role: () => BuildRole) {
    super(partition, broker, of, role);
    const { build } = of;
    this.personal = new PersonalRows(broker, rowPlanOf(of.declaration));
    this.known = new KnownRows(build, this.personal, (id) => broker.store.readRow(partition, build, id));
  }

  override get reached(): number {
    return this.open?.position ?? this.at.position;
  }

  override get isOpen(): boolean {
    return this.open !== undefined;
  }

  protected override async look(): Promise<LocatedCheckpoint> {
    this.open = undefined;
    this.known.forget();
    const { broker, partition } = this;
    const at = await readCheckpoint(broker, partition, this.of.build);
    if (!at.removed) await checkNotRewound(broker, partition, at);
    if (at.revision > 0) return at;
    this.known.forget(true);
    return { ...at, replayTo: await broker.store.head(partition) };
  }

  protected override async project(entries: readonly Entry[], more: boolean): Promise<ParkedEvent | undefined> {
    const after = this.reached;
    const rows = this.open?.rows ?? this.rows();
    const folded = await this.fold(entries, rows, after, this.attempt);
    const parked = this.parks(folded.failure);
    const position = parked?.position ?? folded.position;
    if (position > after) {
      const last = entries.find((entry) => positionOf(entry) === position)!;
      if (this.open) this.open.last = last;
      else this.open = new OpenBatch(rows, last, position <= this.at.replayTo);
    }
    // One that has failed before is committed by itself: only then it is no longer counted as failed.
    if (more && !folded.failure && !this.failure && this.open && !this.open.isFull) return undefined;
    if (!(await this.commitOpen(parked))) return undefined;
    if (folded.failure && !parked) this.fail(folded.failure.error, folded.failure.position);
    return parked;
  }

  protected override async commitOpen(parked?: ParkedEvent): Promise<boolean> {
    const { open } = this;
    if (!open) return true;
    const next = { position: open.position, parked: this.at.parked + (parked ? 1 : 0), last: digestOf(open.last) };
    const written = await this.write(open.rows, next, parked ? [parkedRow(parked)] : []);
    this.failure = undefined;
    return written;
  }

  protected override async projectAgain(event: ParkedEvent): Promise<ParkedEvent | undefined> {
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

  private rows(): RowBuffer {
    const { declaration } = this.of;
    return new RowBuffer(this.known.get, declaration.indexes, rowPlanOf(declaration));
  }

  /** @returns whether nobody else has moved the checkpoint */
  private async write(
    rows: RowBuffer,
    next: Pick<Checkpoint, 'position' | 'parked' | 'last'>,
    more: readonly Write[],
  ): Promise<boolean> {
    const { state } = this;
    const { revision, replayTo } = this.at;
    const checkpoint: Checkpoint = { ...next, replayTo };
    this.located = false;
    this.open = undefined;
    const written = await this.personal.seal(rows.writes(this.of.build));
    const { status } = await this.broker.commit({
      partition: this.partition,
      guards: [{ kind: 'revision', state, expected: revision }],
      writes: [...written, ...more, { kind: 'put', state, value: JSON.stringify(checkpoint) }],
    });
    if (status === 'refused') return false;
    this.known.learn(rows.changes, written);
    this.at = { ...checkpoint, revision: revision + 1 };
    this.located = true;
    return true;
  }
}

function parkedRow(event: ParkedEvent): Write {
  const value = JSON.stringify(event);
  return { kind: 'row', view: parkedView(event.projection), id: String(event.position), value };
}
