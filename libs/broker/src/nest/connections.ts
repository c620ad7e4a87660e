import { Injectable } from '@nestjs/common';
import type { Broker } from '../core/broker.js';
import { ConfigurationError } from '../core/errors.js';
import type { Subscriptions } from '../core/handler.js';
import type { PartitionStore } from '../core/partition-store.js';
import type { Requester } from '../core/requester.js';
import type { Subscriber } from '../core/subscriber.js';
import type { Declarations } from '../core/topology/declarations.js';
import type { BrokerModuleOptions } from './broker-options.js';
import type { StoreOwner } from './store-owner.js';

/** What one `BrokerModule.forRoot` brings into an application. */
export interface Connection {
  readonly name: string;
  readonly options: BrokerModuleOptions;
  readonly store: PartitionStore;
  readonly broker: Broker;
  readonly subscriptions: Subscriptions;
  readonly subscriber: Subscriber;
  readonly requester: Requester;
  readonly declarations: Declarations;
  readonly owner: StoreOwner;
}

/** The connections of one application, by name. Filled while its modules are made. */
@Injectable()
export class Connections {
  private readonly byName = new Map<string, Connection>();

  /** @throws ConfigurationError when one has the name already */
  add(connection: Connection): void {
    const { name, broker } = connection;
    const other = this.byName.get(name);
    if (other) {
      throw new ConfigurationError(
        `two connections are named '${name}', of the contexts '${other.broker.context}' and '${broker.context}': import ` +
          `BrokerModule.forRoot once, or give one of them another name: forRoot({ name: '...', ... })`,
      );
    }
    this.byName.set(name, connection);
  }

  get all(): readonly Connection[] {
    return [...this.byName.values()];
  }

  /**
   * @param wanting who needs it, for the error
   * @throws ConfigurationError when there is none of this name
   */
  get(name: string, wanting: string): Connection {
    const connection = this.byName.get(name);
    if (connection) return connection;
    throw unknownConnection(wanting, name, [...this.byName.keys()]);
  }
}

export function unknownConnection(wanting: string, name: string, known: readonly string[]): ConfigurationError {
  return new ConfigurationError(
    `${wanting} belongs to connection '${name}', which this application does not have: ` +
      (known.length > 0 ? `name one of '${known.join("', '")}' with { broker: '...' }, or add` : 'add') +
      ` BrokerModule.forRoot({ ${name === 'default' ? '' : `name: '${name}', `}... })`,
  );
}
