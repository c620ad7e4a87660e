import { InMemoryPartitionStore } from '../in-memory/in-memory-partition-store.js';
import { Broker } from './broker.js';
import { StoreUnavailableError } from './errors.js';
import { silent } from './logger.js';
import type { Partition } from './partition.js';
import { TimerLoop } from './timer-loop.js';

const A_MINUTE = 60_000;

function site(latencyMs: number, partitions = 2) {
  const store = new InMemoryPartitionStore();
  const broker = new Broker(store, { context: 'work', partitions });
  const looks: (readonly Partition[])[] = [];
  const due = store.dueTimers.bind(store);
  let failures = 0;
  store.dueTimers = async (watched, now, limit) => {
    looks.push(watched);
    if (failures-- > 0) throw new StoreUnavailableError('away');
    return due(watched, now, limit);
  };
  const all = Array.from({ length: partitions }, (_, index) => ({ context: 'work', index }));
  let watched: readonly Partition[] = all;
  const loop = new TimerLoop(broker, () => watched, latencyMs, silent);
  running.push(loop);
  return {
    ...{ broker, loop, looks, all },
    watch: (some: readonly Partition[]) => (watched = some),
    fail: (times: number) => (failures = times),
    set: (id: string, inMs: number, partition = all[0]!) => {
      const timer = { kind: 'timer', id, due: Date.now() + inMs, message: id } as const;
      return store.commit({ partition, guards: [], writes: [timer] });
    },
    arrived: async (partition = all[0]!) => (await store.backlog({ partition, log: 'in' }, 'observer')).waiting,
  };
}

const running: TimerLoop[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((loop) => loop.stop()));
});

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('it did not come true within 5 s');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

describe('the timer loop', () => {
  it('looks at all partitions with one call, and sleeps while none of their timers is near', async () => {
    const { loop, looks, set, all, arrived } = site(A_MINUTE);
    await set('near', 60);
    await set('far', A_MINUTE, all[1]);
    loop.start();
    await until(async () => (await arrived()) === 1);
    // The first look, that at the timer, and one more where the process woke a moment too early.
    expect(looks.length).toBeLessThanOrEqual(4);
    expect(looks[0]).toEqual(all);
  });

  it('wakes for a timer that this process sets meanwhile', async () => {
    const { loop, looks, set, broker, arrived } = site(A_MINUTE);
    loop.start();
    await until(() => looks.length === 1);
    await set('earlier', 20);
    broker.alarm.set(Date.now() + 20);
    broker.alarm.set(Date.now() + 10_000);
    await until(async () => (await arrived()) === 1);
  });

  it('wakes for a timer that was set before it began to listen', async () => {
    const { loop, set, broker, arrived } = site(A_MINUTE);
    broker.alarm.set(Date.now() + 20);
    loop.start();
    await set('early', 20);
    await until(async () => (await arrived()) === 1);
  });

  it('finds what another process has set within its latency', async () => {
    const { loop, looks, set, arrived } = site(30);
    loop.start();
    await until(() => looks.length === 1);
    await set('elsewhere', 0);
    await until(async () => (await arrived()) === 1);
  });

  it('looks only at what it is told to, and not at all at nothing', async () => {
    const { loop, looks, set, all, watch, arrived } = site(5);
    watch([]);
    loop.start();
    await set('a', 0);
    await set('b', 0, all[1]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(looks).toEqual([]);
    watch([all[1]!]);
    await until(async () => (await arrived(all[1])) === 1);
    expect(await arrived()).toBe(0);
  });

  it('goes on when the store was away', async () => {
    const { loop, set, fail, arrived } = site(5);
    fail(3);
    await set('a', 0);
    loop.start();
    await until(async () => (await arrived()) === 1);
  });

  it('stops while it sleeps, and before it has begun', async () => {
    const { loop, looks } = site(A_MINUTE);
    loop.start();
    await until(() => looks.length === 1);
    await loop.stop();
    await site(A_MINUTE).loop.stop();
  });
});
