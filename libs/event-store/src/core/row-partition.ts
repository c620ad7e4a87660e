import type { Broker, Entry, Partition, Write } from '@millrace/broker';
import type { BuildRole } from './build-record.js';
import { checkNotRewound, digestOf, readCheckpoint } from './checkpoint.js';
import type { Checkpoint, LocatedCheckpoint } from './checkpoint.js';
import { parkedView } from './parked-event.js';
import type { ParkedEvent } from './parked-event.js';
import { errorOf, isInfrastructure, ProjectionPartition } from './projection-partition.js';
import type { Projecting } from './projection-partition.js';
import { PersonalRows, rowPlanOf } from './personal-rows.js';
import { RowBuffer } from './row-buffer.js';
import { positionOf } from './stored-event.js';

/** Rows that are kept in memory from one batch to the next. */
const KNOWN_ROWS = 5_000;

/** Of a build whose rows stand beside the events: rows and checkpoint are one commit of the store. */
export class RowPartition extends ProjectionPartition {
  /** Rows as stored: nobody else writes them as long as no commit is refused. */
  private known = new Map<string, string | undefined>();
  private readonly personal: PersonalRows;

  constructor(partition: Partition, broker: Broker, of: Projecting, role: () => BuildRole) {
    super(partition, broker, of, role);
    this.personal = new PersonalRows(broker, rowPlanOf(of.declaration));
  }

  protected override async look(): Promise<LocatedCheckpoint> {
    this.known = new Map();
    const { broker, partition } = this;
    const at = await readCheckpoint(broker, partition, this.of.build);
    if (!at.removed) await checkNotRewound(broker, partition, at);
    return at.revision === 0 ? { ...at, replayTo: await broker.store.head(partition) } : at;
  }

  protected override async project(entries: readonly Entry[]): Promise<ParkedEvent | undefined> {
    const after = this.at.position;
    const rows = this.rows();
    const folded = await this.fold(entries, rows, after, this.attempt);
    const parked = this.parks(folded.failure);
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
    const { known } = this;
    const { declaration, build } = this.of;
    const opened = (id: string, text: string | undefined): string | undefined | Promise<string> =>
      text === undefined ? undefined : this.personal.open(build, id, text);
    const stored = (id: string): string | undefined | Promise<string | undefined> => {
      const text = known.get(id);
      if (text !== undefined || known.has(id)) return opened(id, text);
      return this.broker.store.readRow(this.partition, build, id).then((read) => {
        known.set(id, read);
        return opened(id, read);
      });
    };
    return new RowBuffer(stored, declaration.indexes, rowPlanOf(declaration));
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
    const written = await this.personal.seal(rows.writes(this.of.build));
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
}

function parkedRow(event: ParkedEvent): Write {
  const value = JSON.stringify(event);
  return { kind: 'row', view: parkedView(event.projection), id: String(event.position), value };
}
