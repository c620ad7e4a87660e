import type { Broker, Entry, Guard, Partition } from '@millrace/broker';
import { newAggregate, replay } from './aggregate-model.js';
import type { AggregateModel } from './aggregate-model.js';
import { UnreadableEventError } from './errors.js';
import type { EventCache } from './event-cache.js';
import { eventOf, openEntry } from './stored-event.js';
import type { StoredEvent } from './stored-event.js';

/** Where the events of one aggregate are kept, and how they become the aggregate again. */
export class AggregateStream<A extends object> {
  readonly name: string;
  readonly partition: Partition;

  constructor(
    private readonly broker: Broker,
    readonly model: AggregateModel<A>,
    readonly id: string,
    private readonly cache: EventCache,
  ) {
    this.name = `${model.name}-${id}`;
    this.partition = broker.partitionFor(id);
  }

  /**
   * The aggregate as its stored events make it; without events, a fresh one of version 0.
   *
   * @throws UnreadableEventError for an event that the aggregate does not know
   */
  async load(): Promise<A> {
    const { model } = this;
    const aggregate = newAggregate(model, this.id);
    for (const event of await this.events()) {
      const { type } = event.message;
      const evolution = model.evolutions.get(type);
      if (!evolution) {
        const reason = `${model.label} ${model.remedy}, or an upcast to a known type`;
        throw new UnreadableEventError(event, type, reason);
      }
      replay(model, aggregate, type, eventOf(event, evolution));
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
