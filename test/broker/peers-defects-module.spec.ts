import { createInterface } from 'node:readline';
import { Injectable, Module } from '@nestjs/common';
import type { ModuleMetadata, OnApplicationBootstrap, OnApplicationShutdown, OnModuleDestroy } from '@nestjs/common';
import { Server } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { BrokerModule, InMemoryPartitionStore, On, Publisher } from '@millrace/broker';
import type { BrokerModuleOptions } from '@millrace/broker';
import { Event } from '@millrace/messages';
import { EventStoreModule, Projection, Projects } from '@millrace/event-store';
import { ended, spawnBound } from '@millrace/testing';
import { programOf } from '../support/program-of.js';
import { eventually, freshNamespace, onTestFinished, redisUrl } from '../support/redis.js';

@Event('desk.asked')
class Asked {}

let log: string[] = [];
let finish: () => void = () => undefined;
beforeEach(() => {
  log = [];
});

/** What handlers use. */
@Injectable()
class Pool implements OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown {
  open = true;

  onApplicationBootstrap(): void {
    log.push('pool ready');
  }
  onModuleDestroy(): void {
    this.open = false;
    log.push('pool closed');
  }
  async onApplicationShutdown(): Promise<void> {
    await last();
  }
}
let last: () => Promise<void> = () => Promise.resolve();

@Injectable()
class Clerk {
  constructor(private readonly pool: Pool) {}

  @On(Asked) async asked(): Promise<void> {
    log.push('begin');
    await new Promise<void>((resolve) => (finish = resolve));
    log.push(this.pool.open ? 'worked' : 'found the pool closed');
  }
}

@Module({ providers: [Pool], exports: [Pool] })
class PoolModule {}

const STORES: [string, () => Partial<BrokerModuleOptions>][] = [
  ['Redis', () => ({ redis: { url: redisUrl() }, namespace: freshNamespace() })],
  ['memory', () => ({ store: new InMemoryPartitionStore() })],
];
let store = STORES[0]![1];
const broker = () => BrokerModule.forRoot({ context: 'desk', partitions: 1, blockMs: 100, ...store() });

describe.each(STORES)('an application on %s', (_name, open) => {
  beforeEach(() => {
    store = open;
  });

  /** Peers close their workers in whatever order Nest has, so that handlers find their pools closed (@nestjs/bullmq). */
  describe('what handlers use is there until they have ended', () => {
    const places: [string, () => ModuleMetadata][] = [
      ['in the module of the handlers', () => ({ imports: [broker()], providers: [Pool, Clerk] })],
      ['in a module that they import', () => ({ imports: [broker(), PoolModule], providers: [Clerk] })],
      ['in a module imported before the broker', () => ({ imports: [PoolModule, broker()], providers: [Clerk] })],
      ['in a global module', () => ({ imports: [{ module: PoolModule, global: true }, broker()], providers: [Clerk] })],
      [
        'above the module of the handlers',
        () => ({
          imports: [{ module: class Deep {}, imports: [broker(), PoolModule], providers: [Clerk] }],
          providers: [{ provide: 'another', useClass: Pool }],
        }),
      ],
    ];

    it.each(places)('%s', async (_where, metadata) => {
      const app = (await Test.createTestingModule(metadata()).compile()).createNestApplication({ logger: false });
      await app.init();
      await app.get(Publisher, { strict: false }).publish(new Asked());
      await eventually(() => expect(log).toContain('begin'));
      // Consuming began when everything was ready.
      expect(log.at(-1)).toBe('begin');
      const closed = app.close();
      setImmediate(() => finish());
      await closed;
      expect(log.slice(log.indexOf('begin') + 1)[0]).toBe('worked');
      expect(log).toContain('pool closed');
    });

    it('in an application that has other servers, too', async () => {
      class Other extends Server {
        listen(ready: () => void): void {
          ready();
        }
        close(): void {
          log.push('other server closed');
        }
        on(): void {}
        unwrap(): never {
          throw new Error('nothing inside');
        }
      }
      const module = await Test.createTestingModule({ imports: [broker()], providers: [Pool, Clerk] }).compile();
      const app = module.createNestApplication({ logger: false });
      app.connectMicroservice({ strategy: new Other() });
      await app.startAllMicroservices();
      await app.init();
      await app.get(Publisher).publish(new Asked());
      await eventually(() => expect(log).toContain('begin'));
      const closed = app.close();
      setImmediate(() => finish());
      await closed;
      expect(log.slice(log.indexOf('begin'))).toEqual(['begin', 'worked', 'pool closed', 'other server closed']);
    });

    it('when the process is told to end', async () => {
      const program = programOf('nest-process');
      const child = spawnBound(process.execPath, [program, JSON.stringify(open())], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const over = ended(child);
      onTestFinished(async () => {
        child.kill('SIGKILL');
        await over;
      });
      const lines: string[] = [];
      createInterface({ input: child.stdout! }).on('line', (line) => lines.push(line));
      await eventually(() => expect(lines).toEqual(['begin']));
      child.kill('SIGTERM');
      await over;
      expect(lines).toEqual(['begin', 'worked', 'pool closed']);
    });
  });

  describe('what publishes is there until the application has ended', () => {
    it('even in the last hooks', async () => {
      const module = await Test.createTestingModule({ imports: [broker()], providers: [Pool] }).compile();
      await module.init();
      const publisher = module.get(Publisher);
      last = async () => void (await publisher.publish(new Asked()));
      onTestFinished(async () => void (last = () => Promise.resolve()));
      await expect(module.close()).resolves.toBeUndefined();
    });
  });

  describe('projections', () => {
    @Projection('counts')
    class Counts {
      constructor(private readonly pool: Pool) {}
      @Projects(Asked) async counted(): Promise<void> {
        log.push('begin');
        await new Promise<void>((resolve) => (finish = resolve));
        log.push(this.pool.open ? 'worked' : 'found the pool closed');
      }
    }

    it('end before what they use is closed', async () => {
      const features = EventStoreModule.forFeature({ projections: [Counts] });
      const module = await Test.createTestingModule({
        imports: [broker(), { ...features, imports: [...features.imports!, PoolModule] }, PoolModule],
      }).compile();
      await module.init();
      await module.get(Publisher).publish(new Asked());
      await eventually(() => expect(log).toContain('begin'));
      const closed = module.close();
      setImmediate(() => finish());
      await closed;
      expect(log).toEqual(['pool ready', 'begin', 'worked', 'pool closed']);
    });
  });

  /** Peers keep their handlers in static fields: a second application, or a second test, finds those of the first. */
  describe('two applications of one process', () => {
    it('have nothing in common, one after the other or side by side', async () => {
      const start = async () => {
        const module = await Test.createTestingModule({ imports: [broker()], providers: [Pool, Clerk] }).compile();
        await module.init();
        return module;
      };
      const [first, second] = [await start(), await start()];
      await second.get(Publisher).publish(new Asked());
      await eventually(() => expect(log.filter((line) => line === 'begin')).toHaveLength(1));
      await first.close();
      finish();
      await eventually(() => expect(log).toContain('worked'));
      await second.close();
      const third = await start();
      await third.close();
      expect(log.filter((line) => line === 'begin')).toHaveLength(1);
    });
  });
});
