import { setTimeout as sleep } from 'node:timers/promises';
import { UnitOfWork } from '@millrace/broker';
import type { Redis } from 'ioredis';
import { admin } from '../support/private-redis.js';
import { eventually, onTestFinished } from '../support/redis.js';
import { serverProcess } from '../support/server-process.js';
import type { ServerProcess } from '../support/server-process.js';
import { redisSite } from '../support/site.js';
import type { Handle } from '../support/site.js';

const KEYS = ['a', 'b', 'c'];
const ROUNDS = 12;

/** Resolves when the server answers a command with this error. */
async function answers(error: string, ask: () => Promise<unknown>): Promise<void> {
  const answer = (): Promise<unknown> => ask().catch((thrown: Error) => thrown.message);
  await eventually(async () => expect(await answer()).toContain(error));
}

type Fault = (control: Redis, server: ServerProcess) => Promise<void>;

const FAULTS: readonly [string, Fault][] = [
  [
    'is made a replica (READONLY)',
    async (control) => {
      await control.replicaof('127.0.0.1', 1);
      await answers('READONLY', () => control.set('probe', 'x'));
      await sleep(500);
      await control.replicaof('NO', 'ONE');
    },
  ],
  [
    'is a replica without its master (MASTERDOWN)',
    async (control) => {
      await control.config('SET', 'replica-serve-stale-data', 'no');
      await control.replicaof('127.0.0.1', 1);
      await answers('MASTERDOWN', () => control.get('probe'));
      await sleep(500);
      await control.replicaof('NO', 'ONE');
    },
  ],
  [
    'loads its data (LOADING)',
    async (control) => {
      for (let i = 0; i < 20; i++) await control.set(`filler:${i}`, 'x'.repeat(4_096));
      await control.config('SET', 'key-load-delay', '50000');
      await control.config('SET', 'loading-process-events-interval-bytes', '1024');
      // Not waiting for the server to be ready, as clients do who connect while it loads.
      const observer = control.duplicate({ enableReadyCheck: false });
      onTestFinished(async () => observer.disconnect());
      await observer.ping();
      const loading = control.call('DEBUG', 'RELOAD');
      await answers('LOADING', () => observer.get('probe'));
      await loading;
    },
  ],
  [
    'is out of memory (OOM)',
    async (control) => {
      await control.config('SET', 'maxmemory', '1');
      await answers('OOM', () => control.set('probe', 'x'));
      await sleep(500);
      await control.config('SET', 'maxmemory', '0');
    },
  ],
  [
    'forgets its scripts (NOSCRIPT)',
    async (control) => {
      for (let i = 0; i < 10; i++) {
        await control.script('FLUSH');
        await sleep(20);
      }
    },
  ],
  [
    'is frozen for longer than a read may take',
    async (_control, server) => {
      server.signal('SIGSTOP');
      await sleep(7_000);
      server.signal('SIGCONT');
    },
  ],
];

describe.each(['key', 'none'] as const)('consuming with ordering %s, from a Redis that', (ordering) => {
  it.each(FAULTS)(
    '%s: goes on by itself, and every message has one commit',
    async (_name, fault) => {
      const server = await serverProcess((port) => ({ port, 'enable-debug-command': 'yes' }));
      const url = `redis://127.0.0.1:${server.port}`;
      const control = admin(url);
      await eventually(async () => expect(await control.ping()).toBe('PONG'));
      const site = await redisSite({ url });
      const handle: Handle = async ({ key, n }: { key: string; n: number }, { entry }) => {
        await sleep(5);
        const events = [`${key}${n}`];
        UnitOfWork.current()!.stage(entry.source.partition, { writes: [{ kind: 'append', stream: 's', events }] });
      };
      const settings = { ordering, leaseTtlMs: 3_000 };
      await site.start({ 'work.do': handle }, settings);
      await site.start({ 'work.do': handle }, settings);
      const say = async (from: number, to: number): Promise<void> => {
        for (let n = from; n < to; n++) for (const key of KEYS) await site.say('work.do', { key, n }, key);
      };
      await say(0, ROUNDS);
      await fault(control, server);
      await say(ROUNDS, 2 * ROUNDS);
      await eventually(async () => expect(await site.open()).toBe(0), 30_000);
      const feed = await site.store.readFeed({ context: site.context, index: 0 }, 0, 1_000);
      const handled = feed.map(({ fields }) => fields[1]!);
      const expected = (key: string): string[] => Array.from({ length: 2 * ROUNDS }, (_, n) => `${key}${n}`);
      for (const key of KEYS) {
        const ofKey = handled.filter((event) => event.startsWith(key));
        if (ordering === 'key') expect(ofKey).toEqual(expected(key));
        else expect([...ofKey].sort()).toEqual(expected(key).sort());
      }
      expect(await site.deadLetters()).toEqual([]);
    },
    60_000,
  );
});
