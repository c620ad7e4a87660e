import { Module } from '@nestjs/common';
import type { DynamicModule, INestApplicationContext, LoggerService, LogLevel, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { InMemoryPartitionStore } from '../in-memory/in-memory-partition-store.js';
import { OPEN_STORE } from './store-owner.js';
import type { OpenStore } from './store-owner.js';

const openInMemory: OpenStore = () => new InMemoryPartitionStore();

@Module({})
class Offline {}

/**
 * The application of a module for a look at it: its providers are made, none of its `onModuleInit` hooks runs, nothing is
 * consumed, and every connection without a store of its own is in memory. To be closed.
 *
 * @throws what the constructors and factories of its providers throw
 */
export async function openOffline(
  module: Type<unknown> | DynamicModule,
  logger: LoggerService | LogLevel[] | false = ['error', 'warn'],
): Promise<INestApplicationContext> {
  const stores: DynamicModule = {
    module: Offline,
    global: true,
    providers: [{ provide: OPEN_STORE, useValue: openInMemory }],
    exports: [OPEN_STORE],
  };
  const root: DynamicModule = { module: class Root {}, imports: [stores, module] };
  // A microservice is the only application that Nest makes without starting it and without an HTTP platform.
  return NestFactory.createMicroservice(root, {
    strategy: {
      listen: (ready: () => void) => ready(),
      close: () => undefined,
      on: () => undefined,
      unwrap: () => undefined as never,
    },
    logger,
    abortOnError: false,
  });
}
