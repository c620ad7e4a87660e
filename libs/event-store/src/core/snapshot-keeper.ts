import type { Broker, OpenedLayers, Partition, Write } from '@millrace/broker';
import type { SubjectKeyRef } from '@millrace/messages';
import type { AggregateModel } from './aggregate-model.js';
import { journalOf, noteKeys } from './journal.js';
import { notPlain } from './plain-json.js';
import { readSnapshot, snapshotState, snapshotText, stateIn } from './snapshot.js';
import type { Snapshot } from './snapshot.js';

/** A snapshot that is due. A promise only when it holds personal data. */
type Taken = Write | undefined | Promise<Write | undefined>;

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

  /** Makes a fresh aggregate what a snapshot was taken of; false when that cannot be, or its keys have been deleted. */
  async open(snapshot: Snapshot, stream: string, aggregate: A): Promise<boolean> {
    try {
      const state = stateIn(snapshot);
      const opened = snapshot.sealed === undefined ? undefined : await this.unseal(stream, snapshot, String(state));
      if (snapshot.sealed !== undefined && !opened) return false;
      this.model.snapshots!.restore(aggregate, opened ? (JSON.parse(opened.text) as unknown) : state);
      noteKeys(aggregate, opened?.keys);
    } catch (error) {
      this.warn(error);
      return false;
    }
    const journal = journalOf(aggregate);
    journal.version = journal.snapshot = snapshot.version;
    return true;
  }

  /** The snapshot that an append is to write, if one is due. `event`: the id of the aggregate's last event. */
  withAppend(stream: string, aggregate: A, event: string): Taken {
    return this.model.snapshots?.afterAppend === false ? this.take(stream, aggregate, event) : undefined;
  }

  /** Writes the snapshot of an aggregate as it was loaded, if one is due. Nobody waits for it. */
  afterLoad(partition: Partition, stream: string, aggregate: A, event: string, done: () => void): void {
    if (!this.model.snapshots?.afterAppend || this.writing.has(stream)) return;
    const taken = this.take(stream, aggregate, event);
    if (!taken) return;
    this.writing.add(stream);
    const write = async (): Promise<void> => {
      const snapshot = await taken;
      if (!snapshot) return;
      await this.broker.commit({ partition, guards: [], writes: [snapshot] });
      done();
    };
    write()
      .catch((error: unknown) => this.warn(error))
      .finally(() => this.writing.delete(stream));
  }

  private take(stream: string, aggregate: A, event: string): Taken {
    const { snapshots } = this.model;
    const { version, snapshot, keys } = journalOf(aggregate);
    try {
      if (!snapshots?.isDue(aggregate, version - snapshot)) return undefined;
      const state = snapshots.save(aggregate);
      const problem = notPlain(state, 'state');
      if (problem !== undefined) throw new Error(`${problem}, which JSON does not keep: say what to keep instead`);
      const about = { version, event, reducer: snapshots.reducer };
      const put = (value: string): Write => ({ kind: 'put', state: snapshotState(stream), value });
      if (keys.length === 0) return put(snapshotText(about, state));
      return this.seal(stream, { ...about, sealed: keys.length }, JSON.stringify(state), keys).then(
        (sealed) => (sealed === undefined ? undefined : put(snapshotText({ ...about, sealed: keys.length }, sealed))),
        (error: unknown) => {
          this.warn(error);
          return undefined;
        },
      );
    } catch (error) {
      this.warn(error);
      return undefined;
    }
  }

  /** With the keys of all people of whom it knows something: when one is deleted, the state is made of the events again. */
  private async seal(
    stream: string,
    snapshot: Omit<Snapshot, 'text'>,
    state: string,
    keys: readonly SubjectKeyRef[],
  ): Promise<string | undefined> {
    return this.broker.personalData?.sealWith(keys, state, aboutOf(stream, snapshot));
  }

  private async unseal(stream: string, snapshot: Snapshot, state: string): Promise<OpenedLayers | undefined> {
    return this.broker.personalData?.openLayers(snapshot.sealed ?? 0, state, aboutOf(stream, snapshot));
  }

  /** Once: the reason is the same for all. */
  private warn(error: unknown): void {
    if (this.warned) return;
    this.warned = true;
    const reason = error instanceof Error ? error.message : String(error);
    process.emitWarning(`${this.model.label} goes on without snapshots: ${reason}`, 'SnapshotWarning');
  }
}

function aboutOf(stream: string, { version, reducer }: Omit<Snapshot, 'text'>): readonly string[] {
  return ['snapshot', stream, String(reducer), String(version)];
}
