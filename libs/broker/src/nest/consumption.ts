import { Injectable, Logger, Module } from '@nestjs/common';
import type { OnApplicationBootstrap, OnModuleDestroy, Type } from '@nestjs/common';
import { DiscoveryModule, ModulesContainer } from '@nestjs/core';
import { Connections } from './connections.js';
import type { Connection } from './connections.js';
import { HandlerExplorer } from './handler-explorer.js';

/** Starts to consume once the application is up, and stops before anything that handlers use is closed. */
@Injectable()
export class Consumption implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Millrace');

  constructor(
    private readonly connections: Connections,
    private readonly explorer: HandlerExplorer,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    try {
      this.explorer.explore();
      for (const { subscriber } of this.connections.all) subscriber.prepare();
      for (const connection of this.connections.all) await this.start(connection);
    } catch (error) {
      await this.giveUp();
      throw error;
    }
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.connections.all.map(({ subscriber }) => subscriber.stop()));
    // Handlers that were still running may have waited for replies.
    await Promise.all(this.connections.all.map(({ requester }) => requester.close()));
  }

  /** Nest 11 runs no hook of an application that failed to start, not even by `close()`. */
  private async giveUp(): Promise<void> {
    await Promise.allSettled([this.onModuleDestroy()]);
    await Promise.allSettled(this.connections.all.map(({ owner }) => owner.close()));
  }

  private async start({ broker, store, options, subscriber }: Connection): Promise<void> {
    const { server, warnings } = await store.inspect();
    this.logger.log(`context '${broker.context}' on ${server}`);
    for (const warning of warnings) this.logger.warn(warning);
    if (options.autoStart ?? true) await subscriber.start();
  }
}

/**
 * Nest starts modules from the leaves to the root and destroys them the other way round. A module whose work uses what the
 * application provides goes even after the root, and is destroyed before it: call this in the module's constructor.
 *
 * @param type the class of the module
 */
export function startsLastStopsFirst(modules: ModulesContainer, type: Type<unknown>): void {
  for (const module of modules.values()) if (module.metatype === type) module.distance = -1;
}

/** What an application has once, however many connections it has. */
@Module({
  imports: [DiscoveryModule],
  providers: [Connections, HandlerExplorer, Consumption],
  exports: [Connections, HandlerExplorer],
})
export class ConsumptionModule {
  constructor(modules: ModulesContainer) {
    startsLastStopsFirst(modules, ConsumptionModule);
  }
}
