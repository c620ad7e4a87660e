import { ConfigurationError } from '@millrace/broker';
import type { AppendWrite, Broker, Encoded, Entry, Guard, Partition, Write } from '@millrace/broker';
import { subjectKeysIn } from '@millrace/messages';
import { newAggregate, replay } from './aggregate-model.js';
import type { AggregateModel } from './aggregate-model.js';
import { noteHead } from './chain/stream-head.js';
import { noteKeys, passEvent } from './journal.js';
import { UnreadableEventError } from './errors.js';
import type { EventCache, KnownStream } from './event-cache.js';
import type { Snapshot } from './snapshot.js';
import type { SnapshotKeeper } from './snapshot-keeper.js';
import { checkWhole, eventOf, openEntry } from './stored-event.js';
import type { StoredEvent } from './stored-event.js';

/** What streams of one kind of aggregate have in common. */
export interface StreamTools<A extends object> {
  readonly broker: Broker;
  readonly model: AggregateModel<A>;
  readonly cache: EventCache;
  readonly snapshots: SnapshotKeeper<A>;
}

/** A stream as this process has read it before, or a snapshot of it that has not been held against the stream yet. */
type Known = KnownStream | { readonly snapshot: Snapshot; readonly events: readonly []; readonly last?: undefined };

/** Where the events of one aggregate are kept, and how they become the aggregate again. */
export class AggregateStream<A extends object> {
  readonly name: string;
  readonly partition: Partition;
  readonly model: AggregateModel<A>;
  private head: { readonly version: number; readonly last: Entry | undefined } | undefined;

  constructor(
    private readonly tools: StreamTools<A>,
    readonly id: string,
  ) {
    this.model = tools.model;
    this.name = `${tools.model.name}-${id}`;
    this.partition = tools.broker.partitionFor(id);
  }

  /**
   * The aggregate as its stored events make it; without events, a fresh one of version 0.
   *
   * @throws UnreadableEventError for an event that the aggregate does not know
   */
  async load(): Promise<A> {
    const { cache, snapshots } = this.tools;
    let stream = await this.read(await this.known());
    let aggregate = newAggregate(this.model, this.id);
    if (stream?.snapshot && !(await snapshots.open(stream.snapshot, this.name, aggregate))) {
      stream = await this.read();
      aggregate = newAggregate(this.model, this.id);
    }
    // Personal data are not kept in memory: their key may be deleted.
    if (stream?.events.every(({ message }) => subjectKeysIn(message) === undefined)) cache.put(this.name, stream);
    else cache.forget(this.name);
    for (const event of stream?.events ?? []) this.replay(aggregate, event);
    const last = stream?.events.at(-1);
    if (last) {
      snapshots.afterLoad(this.partition, this.name, aggregate, last.message.id, () => cache.forget(this.name));
    }
    return aggregate;
  }

  /** Events as they are stored: keyed by the aggregate, with the stream as their subject. A promise only with personal data. */
  encode(events: readonly object[]): readonly Encoded[] | Promise<readonly Encoded[]> {
    const { broker } = this.tools;
    const encoded = events.map((event) =>
      broker.messages.encodeRecorded(event, { subject: this.name, partitionkey: this.id }),
    );
    const isAtOnce = (each: Encoded | Promise<Encoded>): each is Encoded => !(each instanceof Promise);
    return encoded.every(isAtOnce) ? encoded : Promise.all(encoded.map(async (each) => each));
  }

  /** Behind the event at which it was loaded. */
  append(events: readonly string[]): AppendWrite {
    const write: AppendWrite = { kind: 'append', stream: this.name, category: this.model.name, events };
    if (this.head) noteHead(write, this.head.version, this.head.last);
    return write;
  }

  /** Holds while nobody else has changed the stream. */
  guard(expected: number): Guard {
    return { kind: 'version', stream: this.name, expected };
  }

  /**
   * The snapshot that goes with an append, if one is due: at most one write.
   *
   * @param encoded the events of the append
   */
  snapshot(aggregate: A, encoded: readonly Encoded[]): readonly Write[] | Promise<readonly Write[]> {
    for (const { envelope } of encoded) noteKeys(aggregate, subjectKeysIn(envelope));
    const taken = this.tools.snapshots.withAppend(this.name, aggregate, encoded.at(-1)!.envelope.id);
    const place = (write: Write | undefined): readonly Write[] => {
      if (!write) return [];
      // Whether the append succeeds or not: the next load finds a snapshot in the store.
      this.tools.cache.forget(this.name);
      return [write];
    };
    return taken instanceof Promise ? taken.then(place) : place(taken);
  }

  private replay(aggregate: A, event: StoredEvent): void {
    const { model } = this;
    const { type } = event.message;
    const evolution = model.evolutions.get(type);
    const retired = this.tools.broker.boundary.retired.has(type);
    if (evolution && retired) {
      throw new ConfigurationError(`${type} is retired, and ${model.label} applies it: keep one`);
    }
    if (retired) return passEvent(aggregate);
    if (!evolution) {
      const known = `an upcast to a known type, renamed('${type}', ...), or retired('${type}') to pass it`;
      throw new UnreadableEventError(event, type, `${model.label} ${model.remedy}, or ${known}`);
    }
    noteKeys(aggregate, subjectKeysIn(event.message));
    replay(model, aggregate, type, eventOf(event, evolution));
  }

  private async known(): Promise<Known | undefined> {
    const cached = this.tools.cache.get(this.name);
    if (cached) return cached;
    const snapshot = await this.tools.snapshots.find(this.partition, this.name);
    return snapshot && { snapshot, events: [] };
  }

  /**
   * All events of the stream, or those behind its snapshot; undefined when there are none. Of a known one only the news are
   * read, and with them its last known event: when that is not what it was (the store was set back, and perhaps written to),
   * everything is read again.
   */
  private async read(known?: Known): Promise<KnownStream | undefined> {
    const { broker } = this.tools;
    const count = known ? (known.snapshot?.version ?? 0) + known.events.length : 0;
    const slice = await broker.store.readStream(this.partition, this.name, { after: Math.max(0, count - 1) });
    checkWhole(this.partition, this.name, slice);
    const { entries } = slice;
    if (known && !(await this.goesOn(known, entries[0]))) return this.read();
    const last = entries.at(-1);
    this.head = { version: last?.version ?? slice.version, last };
    if (!last) return undefined;
    const events = known ? [...known.events] : [];
    for (const entry of entries.slice(known ? 1 : 0)) {
      const opened = openEntry(broker, entry, this.name);
      events.push(opened instanceof Promise ? await opened : opened);
    }
    return { snapshot: known?.snapshot, events, last };
  }

  /** Whether an entry is the last one that is known. */
  private async goesOn({ snapshot, last }: Known, entry: Entry | undefined): Promise<boolean> {
    if (!entry) return false;
    if (last) return last.id === entry.id && last.fields.join() === entry.fields.join();
    return (await openEntry(this.tools.broker, entry, this.name)).message.id === snapshot.event;
  }
}
