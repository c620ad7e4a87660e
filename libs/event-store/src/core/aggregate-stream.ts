import type { Broker, Guard, Partition } from '@millrace/broker';
import { aggregateName, newAggregate, replay } from './aggregate.js';
import type { AggregateClass, AggregateRoot } from './aggregate.js';
import { appliersOf } from './apply.js';
import { eventOf, openEntry, unreadable } from './stored-event.js';

/** Where the events of one aggregate are kept, and how they become the aggregate again. */
export class AggregateStream<A extends AggregateRoot> {
  readonly name: string;
  readonly partition: Partition;

  constructor(
    private readonly broker: Broker,
    private readonly type: AggregateClass<A>,
    readonly id: string,
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
    const { entries } = await this.broker.store.readStream(this.partition, this.name);
    const appliers = appliersOf(this.type.prototype as object);
    const aggregate = newAggregate(this.type, this.id);
    for (const entry of entries) {
      const message = openEntry(this.broker, entry, this.name);
      const applier = appliers.get(message.type);
      if (!applier) {
        const reason = `${this.type.name} has no method that applies it: add @Apply, or an upcast to a known type`;
        throw unreadable(entry, this.name, message.type, reason);
      }
      replay(aggregate, message.type, eventOf(message, applier.contract, entry, this.name));
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
}
