/**
 * A Nest service as it is deployed: handles one message for a while, and ends by SIGTERM. Says what it does, line by line.
 * Its one argument is JSON: options of the module; without `redis` it keeps its messages in memory.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { BrokerModule, InMemoryPartitionStore, On, Publisher } from '@millrace/broker';
import { Event } from '@millrace/messages';

class Asked {}
Event('desk.asked')(Asked);

/** What handlers use, in the root module: the first that Nest destroys. */
class Pool {
  open = true;
  onModuleDestroy() {
    this.open = false;
    console.log('pool closed');
  }
}
Injectable()(Pool);

class Clerk {
  constructor(pool) {
    this.pool = pool;
  }
  async asked() {
    console.log('begin');
    await sleep(300);
    console.log(this.pool.open ? 'worked' : 'found the pool closed');
  }
}
On(Asked)(Clerk.prototype, 'asked', Object.getOwnPropertyDescriptor(Clerk.prototype, 'asked'));

const options = JSON.parse(process.argv[2]);
const store = options.redis ? {} : { store: new InMemoryPartitionStore() };

class Root {}
Module({
  imports: [BrokerModule.forRoot({ context: 'desk', ...options, ...store })],
  providers: [Pool, { provide: Clerk, inject: [Pool], useFactory: (pool) => new Clerk(pool) }],
})(Root);

const app = await NestFactory.create(Root, { logger: false });
app.enableShutdownHooks();
await app.listen(0, '127.0.0.1');
await app.get(Publisher).publish(new Asked());
