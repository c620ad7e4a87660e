import type { Broker, Partition, Write } from '@millrace/broker';
import type { AggregateModel } from './aggregate-model.js';
import { newAggregate } from './aggregate-model.js';
import { journalOf } from './journal.js';
import { notPlain } from './plain-json.js';
import { readSnapshot, snapshotState, snapshotText, stateIn } from './snapshot.js';
import type { Snapshot } from './snapshot.js';

/**
 * Takes, finds and opens the snapshots of one kind of aggregate. They save time and nothing else: one that is missing,
 * damaged, or of another reducer is as good as none, and one that cannot be taken does not keep its events from being stored.
 */
export class SnapshotKeeper<A extends object> {
  private readonly writing = new Set<string>();
  private warned = false;

  constructor(
    private readonly broker: Broker,
    private readonly model: AggregateModel<A>,
  ) {}

  async find(partition: Partition, stream: string): Promise<Snapshot | undefined> {
    const { snapshots } = this.model;
    if (!snapshots) return undefined;
    const stored = await this.broker.store.readState(partition, snapshotState(stream));
    const snapshot = stored && readSnapshot(stored.value);
    return snapshot?.reducer === snapshots.reducer ? snapshot : undefined;
  }

  /** The aggregate that a snapshot was taken of; undefined when it cannot be made of it. */
  open(snapshot: Snapshot, id: string): A | undefined {
    const aggregate = newAggregate(this.model, id);
    try {
      this.model.snapshots!.restore(aggregate, stateIn(snapshot));
    } catch (error) {
      this.warn(error);
      return undefined;
    }
    const journal = journalOf(aggregate);
    journal.version = journal.snapshot = snapshot.version;
    return aggregate;
  }

  /** The snapshot that an append is to write, if one is due. `event`: the id of the aggregate's last event. */
  withAppend(stream: string, aggregate: A, event: string): Write | undefined {
    return this.model.snapshots?.afterAppend === false ? this.take(stream, aggregate, event) : undefined;
  }

  /** Writes the snapshot of an aggregate as it was loaded, if one is due. Nobody waits for it. */
  afterLoad(partition: Partition, stream: string, aggregate: A, event: string, done: () => void): void {
    if (!this.model.snapshots?.afterAppend || this.writing.has(stream)) return;
    const write = this.take(stream, aggregate, event);
    if (!write) return;
    this.writing.add(stream);
    this.broker
      .commit({ partition, guards: [], writes: [write] })
      .then(done, (error: unknown) => this.warn(error))
      .finally(() => this.writing.delete(stream));
  }

  private take(stream: string, aggregate: A, event: string): Write | undefined {
    const { snapshots } = this.model;
    const { version, snapshot } = journalOf(aggregate);
    try {
      if (!snapshots?.isDue(aggregate, version - snapshot)) return undefined;
      const state = snapshots.save(aggregate);
      const problem = notPlain(state, 'state');
      if (problem !== undefined) throw new Error(`${problem}, which JSON does not keep: say what to keep instead`);
      const value = snapshotText({ version, event, reducer: snapshots.reducer }, state);
      return { kind: 'put', state: snapshotState(stream), value };
    } catch (error) {
      this.warn(error);
      return undefined;
    }
  }

  /** Once: the reason is the same for all. */
  private warn(error: unknown): void {
    if (this.warned) return;
    this.warned = true;
    const reason = error instanceof Error ? error.message : String(error);
    process.emitWarning(`${this.model.label} goes on without snapshots: ${reason}`, 'SnapshotWarning');
  }
}
