import { ConfigurationError } from '@millrace/broker';
import { contractOf } from '@millrace/messages';
import type { MessageClass } from '@millrace/messages';
import { UnreadableEventError } from './errors.js';
import type { EventClass, StoredEvent } from './stored-event.js';

/** The events that a context has: what may be appended, and what is read becomes instances of. */
export class EventTypes {
  private readonly classes = new Map<string, EventClass>();
  private readonly implied = new Map<string, EventClass>();

  /** @throws ConfigurationError for what is no event, and for a second class of one type */
  add(contracts: readonly MessageClass[]): void {
    for (const contract of contracts) {
      const { kind, type, version } = contractOf(contract);
      if (kind !== 'event')
        throw new ConfigurationError(`${contract.name} is ${type}, a ${kind}: only events are stored`);
      const known = this.classes.get(type);
      if (known && known.contract !== contract) {
        throw new ConfigurationError(`${known.contract.name} and ${contract.name} are both ${type}: keep one of them`);
      }
      this.classes.set(type, { contract, version });
    }
  }

  /** Classes that hold where none is added. */
  imply(contracts: readonly MessageClass[]): void {
    for (const contract of contracts) {
      const { type, version } = contractOf(contract);
      if (!this.implied.has(type)) this.implied.set(type, { contract, version });
    }
  }

  /** @throws ConfigurationError for what may not be appended, MessageError for what is no message */
  check(event: object): void {
    const { kind, type } = contractOf(event);
    if (kind !== 'event') throw new ConfigurationError(`${type} is a ${kind}: only events are appended`);
    if (this.find(type)?.contract !== event.constructor) {
      const { name } = event.constructor;
      throw new ConfigurationError(`${type} is not declared here: add ${name} to the events of the event store`);
    }
  }

  /** @throws UnreadableEventError for an event of an undeclared type */
  classOf(event: StoredEvent): EventClass {
    const { type } = event.message;
    const found = this.find(type);
    if (found) return found;
    const reason =
      'its type is not declared here: add its class to the events of the event store, or a stored transform';
    throw new UnreadableEventError(event, type, reason);
  }

  private find(type: string): EventClass | undefined {
    return this.classes.get(type) ?? this.implied.get(type);
  }
}
