import type { Broker, Entry, Guard, Partition } from '@millrace/broker';
import { aggregateName, newAggregate, replay } from './aggregate.js';
import type { AggregateClass, AggregateRoot } from './aggregate.js';
import { appliersOf } from './apply.js';
import { UnreadableEventError } from './errors.js';
import type { EventCache } from './event-cache.js';
import { eventOf, openEntry } from './stored-event.js';
import type { StoredEvent } from './stored-event.js';

/** Where the events of one aggregate are kept, and how they become the aggregate again. */
export class AggregateStream<A extends AggregateRoot> {
  readonly name: string;
  readonly partition: Partition;

  constructor(
    private readonly broker: Broker,
    private readonly type: AggregateClass<A>,
    readonly id: string,
    private readonly cache: EventCache,
  ) {
    this.name = `${aggregateName(type)}-${id}`;
    this.partition = broker.partitionFor(id);
  }

  /**
   * The aggregate as its stored events make it; without events, a fresh one of version 0.
   *
   * @throws UnreadableEventError for an event that the class does not apply
   */
  async load(): Promise<A> {
    const appliers = appliersOf(this.type.prototype as object);
    const aggregate = newAggregate(this.type, this.id);
    for (const event of await this.events()) {
      const { type } = event.message;
      const applier = appliers.get(type);
      if (!applier) {
        const reason = `${this.type.name} has no method that applies it: add @Apply, or an upcast to a known type`;
        throw new UnreadableEventError(event, type, reason);
      }
      replay(aggregate, type, eventOf(event, applier));
    }
    return aggregate;
  }

  /** Events as they are stored: keyed by the aggregate, with the stream as their subject. */
  encode(events: readonly object[]): string[] {
    return events.map((event) => this.broker.encode(event, { subject: this.name, partitionkey: this.id }).text);
  }

  /** Holds while nobody else has changed the stream. */
  guard(expected: number): Guard {
    return { kind: 'version', stream: this.name, expected };
  }

  /**
   * All events of the stream. Of a known one only the news are read, and with them its last known event: when that is not
   * what it was (the store was set back, and then written to), everything is read again.
   */
  private async events(): Promise<readonly StoredEvent[]> {
    const { store } = this.broker;
    let known = this.cache.get(this.name);
    let { entries } = await store.readStream(this.partition, this.name, known ? known.events.length - 1 : 0);
    if (known && !isSame(entries[0], known.last)) {
      known = undefined;
      ({ entries } = await store.readStream(this.partition, this.name));
    }
    const last = entries.at(-1);
    if (!last) return [];
    const news = entries.slice(known ? 1 : 0).map((entry) => openEntry(this.broker, entry, this.name));
    const events = known ? [...known.events, ...news] : news;
    this.cache.put(this.name, { events, last });
    return events;
  }
}

function isSame(one: Entry | undefined, other: Entry): boolean {
  return one?.id === other.id && one.fields.join() === other.fields.join();
}
