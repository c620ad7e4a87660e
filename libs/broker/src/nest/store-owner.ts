import { Injectable } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import type { PartitionStore } from '../core/partition-store.js';
import type { BrokerModuleOptions } from './broker-options.js';

/** Opens the place of a connection that was given none. */
export type OpenStore = (options: BrokerModuleOptions) => PartitionStore | Promise<PartitionStore>;

/**
 * Injection token of an {@link OpenStore}: provided by a global module, it opens the stores of all connections that have no
 * `store` of their own, e.g. in memory, for a look at an application without its Redis.
 */
export const OPEN_STORE = Symbol.for('millrace:open-store');

/**
 * Closes what a connection has opened itself, once nothing of the application can need it any more: its module is global,
 * and Nest shuts those down last.
 */
@Injectable()
export class StoreOwner implements OnApplicationShutdown {
  private readonly opened: { close?(): Promise<void> }[] = [];

  async own<T extends { close?(): Promise<void> }>(opening: T | Promise<T>): Promise<T> {
    const owned = await opening;
    this.opened.push(owned);
    return owned;
  }

  onApplicationShutdown(): Promise<void> {
    return this.close();
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await Promise.all(this.opened.splice(0).map(async (owned) => owned.close?.()));
  }
}
