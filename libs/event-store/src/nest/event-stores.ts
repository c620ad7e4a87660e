import type { Broker } from '@millrace/broker';
import { Injectable } from '@nestjs/common';
import { EventStore } from '../core/event-store.js';

/** The event store of each connection, one for all modules that declare its events. */
@Injectable()
export class EventStores {
  private readonly stores = new Map<Broker, EventStore>();

  of(broker: Broker): EventStore {
    let store = this.stores.get(broker);
    if (!store) this.stores.set(broker, (store = new EventStore(broker)));
    return store;
  }
}
