import { setImmediate as turn } from 'node:timers/promises';
import { Dispatcher } from './dispatcher.js';
import { RateGate } from './rate-gate.js';
import { Task } from './work.js';
import type { Slot, Work } from './work.js';

/** A task that ends when told to. */
function task() {
  let finish = (): void => undefined;
  const state = { begun: false, ended: false };
  const ending = new Promise<void>((resolve) => (finish = resolve));
  const run = async (): Promise<void> => {
    state.begun = true;
    await ending;
    state.ended = true;
  };
  return { state, run, finish: async () => (finish(), void (await turn())) };
}

function started(dispatcher: Dispatcher, ...keys: string[]) {
  return keys.map((key) => {
    const made = task();
    dispatcher.add(new Task(key, made.run));
    return made;
  });
}

const begun = (tasks: readonly { state: { begun: boolean } }[]): boolean[] => tasks.map(({ state }) => state.begun);

describe('a dispatcher', () => {
  it('runs tasks of different keys at once, those of one key one after the other', async () => {
    const tasks = started(new Dispatcher(10), 'a', 'a', 'b', 'a');
    expect(begun(tasks)).toEqual([true, false, true, false]);
    await tasks[0]!.finish();
    expect(begun(tasks)).toEqual([true, true, true, false]);
  });

  it('runs no more than its concurrency, the longest waiting first', async () => {
    const dispatcher = new Dispatcher(2);
    const tasks = started(dispatcher, 'a', 'b', 'c', 'd');
    expect(begun(tasks)).toEqual([true, true, false, false]);
    await tasks[1]!.finish();
    expect(begun(tasks)).toEqual([true, true, true, false]);
    expect(dispatcher.size).toBe(3);
  });

  it('gives a key that has much waiting its turn, not all turns', async () => {
    const tasks = started(new Dispatcher(1), 'a', 'a', 'b');
    await tasks[0]!.finish();
    expect(begun(tasks)).toEqual([true, false, true]);
    await tasks[2]!.finish();
    expect(begun(tasks)).toEqual([true, true, true]);
  });

  it('keeps the order of every key, whatever finishes first', async () => {
    const dispatcher = new Dispatcher(3);
    const seen = new Map<string, number[]>();
    const work: Promise<void>[] = [];
    for (let i = 0; i < 300; i++) {
      const key = `k${i % 7}`;
      work.push(
        new Promise((resolve) =>
          dispatcher.add(
            new Task(key, async () => {
              for (let pause = (i * 31) % 5; pause > 0; pause--) await turn();
              seen.set(key, [...(seen.get(key) ?? []), i]);
              resolve();
            }),
          ),
        ),
      );
    }
    await Promise.all(work);
    expect(seen.size).toBe(7);
    for (const order of seen.values()) expect(order).toEqual([...order].sort((a, b) => a - b));
  });

  it('says when fewer tasks are left', async () => {
    const dispatcher = new Dispatcher(2);
    const [first, second] = started(dispatcher, 'a', 'b');
    await dispatcher.below(3);
    let roomy = false;
    const waiting = dispatcher.below(1).then(() => (roomy = true));
    await first!.finish();
    expect(roomy).toBe(false);
    await second!.finish();
    await waiting;
    expect(dispatcher.size).toBe(0);
  });

  describe('that is stopped', () => {
    it('finishes what runs and forgets what has not begun', async () => {
      const dispatcher = new Dispatcher(1);
      const [running, next, other] = started(dispatcher, 'a', 'a', 'b');
      let stopped = false;
      const stopping = dispatcher.stop().then(() => (stopped = true));
      await turn();
      expect(stopped).toBe(false);
      await running!.finish();
      await stopping;
      expect(begun([next!, other!])).toEqual([false, false]);
      const [late] = started(dispatcher, 'c');
      expect(late!.state.begun).toBe(false);
    });

    it('stops at once when nothing runs, and wakes who waits for room', async () => {
      const dispatcher = new Dispatcher(1);
      await dispatcher.stop();
      const busy = new Dispatcher(1);
      const [running] = started(busy, 'a');
      const room = busy.below(1);
      const stopping = busy.stop();
      await room;
      await running!.finish();
      await stopping;
    });
  });

  describe('a task that stands aside', () => {
    it('gives its slot to others, but not its key', async () => {
      const dispatcher = new Dispatcher(1);
      const pause = task();
      dispatcher.add(new Task('a', (slot) => slot.aside(pause.run)));
      const [same, other] = started(dispatcher, 'a', 'b');
      expect(begun([same!, other!])).toEqual([false, true]);
      expect(dispatcher.size).toBe(3);
    });

    it('waits for a slot when it comes back, before tasks that have not begun', async () => {
      const dispatcher = new Dispatcher(1);
      const pause = task();
      let back = false;
      dispatcher.add(
        new Task('a', async (slot) => {
          await slot.aside(pause.run);
          back = true;
        }),
      );
      const [running, next] = started(dispatcher, 'b', 'c');
      await pause.finish();
      expect(back).toBe(false);
      await running!.finish();
      expect(back).toBe(true);
      expect(next!.state.begun).toBe(true);
      await next!.finish();
      expect(dispatcher.size).toBe(0);
    });

    it('is waited for by a stop', async () => {
      const dispatcher = new Dispatcher(1);
      const pause = task();
      dispatcher.add(new Task('a', (slot) => slot.aside(pause.run)));
      let stopped = false;
      const stopping = dispatcher.stop().then(() => (stopped = true));
      await turn();
      expect(stopped).toBe(false);
      await pause.finish();
      await stopping;
    });
  });

  it('lets others run while a task that gave its slot back finishes', async () => {
    const dispatcher = new Dispatcher(1);
    const committing = task();
    dispatcher.add(new Task('a', (slot) => (slot.release(), committing.run())));
    const [same, other] = started(dispatcher, 'a', 'b');
    expect(begun([same!, other!])).toEqual([false, true]);
    await committing.finish();
    await other!.finish();
    expect(begun([same!])).toEqual([true]);
    expect(dispatcher.size).toBe(1);
  });

  it('runs thousands one after the other that finish at once', async () => {
    const dispatcher = new Dispatcher(1);
    const [first] = started(dispatcher, 'a');
    let ran = 0;
    for (let i = 0; i < 50_000; i++) dispatcher.add(new Task('a', () => void ran++));
    await first!.finish();
    expect([ran, dispatcher.size]).toEqual([50_000, 0]);
  });

  it('counts the bytes of what it holds, and says when there is room by both', async () => {
    const dispatcher = new Dispatcher(1);
    const [one, other] = [heavy('a', 60), heavy('b', 60)];
    dispatcher.add(one.work);
    dispatcher.add(other.work);
    expect([dispatcher.size, dispatcher.bytes]).toEqual([2, 120]);
    expect([dispatcher.hasRoom(3, 121), dispatcher.hasRoom(3, 120), dispatcher.hasRoom(2, 121)]).toEqual([
      true,
      false,
      false,
    ]);
    let roomy = false;
    const waiting = dispatcher.below(3, 100).then(() => (roomy = true));
    await turn();
    expect(roomy).toBe(false);
    await one.finish();
    await waiting;
    expect(dispatcher.bytes).toBe(60);
  });

  it('does not wait for room for longer than it is told to', async () => {
    const dispatcher = new Dispatcher(1);
    dispatcher.add(heavy('a', 1).work);
    await dispatcher.below(1, 1, 5);
    expect(dispatcher.hasRoom(1, 1)).toBe(false);
  });

  describe('that is to unload', () => {
    it('unloads what waits behind so many of its key, and counts it no more', async () => {
      const dispatcher = new Dispatcher(4);
      const works = ['a', 'a', 'a', 'a', 'b', 'b'].map((key) => heavy(key, 10));
      for (const { work } of works) dispatcher.add(work);
      expect(dispatcher.isHungry).toBe(true);
      dispatcher.unload(1);
      expect(works.map(({ state }) => state.unloads)).toEqual([0, 0, 1, 1, 0, 0]);
      expect([dispatcher.size, dispatcher.bytes, dispatcher.unloaded]).toEqual([4, 40, 2]);
      const late = heavy('a', 10);
      dispatcher.add(late.work);
      dispatcher.unload(1);
      expect(works.map(({ state }) => state.unloads)).toEqual([0, 0, 1, 1, 0, 0]);
      expect(late.state.unloads).toBe(1);
      for (const { finish } of [...works, late]) await finish();
      expect([...works, late].map(({ state }) => state.runs)).toEqual([1, 1, 1, 1, 1, 1, 1]);
      expect([dispatcher.size, dispatcher.bytes, dispatcher.unloaded]).toEqual([0, 0, 0]);
    });
  });

  describe('that is paused', () => {
    it('begins nothing, lets what runs finish, and goes on when it is resumed', async () => {
      const dispatcher = new Dispatcher(2);
      const [running, next] = started(dispatcher, 'a', 'a');
      dispatcher.pause();
      const [other] = started(dispatcher, 'b');
      await running!.finish();
      expect(running!.state.ended).toBe(true);
      expect(begun([next!, other!])).toEqual([false, false]);
      dispatcher.resume();
      expect(begun([next!, other!])).toEqual([true, true]);
    });

    it('lets none go on that stood aside', async () => {
      const dispatcher = new Dispatcher(2);
      const wait = task();
      let back = false;
      dispatcher.add(new Task('a', (slot: Slot) => slot.aside(wait.run).then(() => (back = true))));
      dispatcher.pause();
      await wait.finish();
      expect(back).toBe(false);
      dispatcher.resume();
      await turn();
      expect(back).toBe(true);
    });
  });

  describe('that is to discard', () => {
    it('discards what has not begun, and others of the same key have their turn', async () => {
      const dispatcher = new Dispatcher(1);
      const works = ['a', 'a', 'a', 'b', 'b', 'c'].map((key) => heavy(key, 1));
      for (const { work } of works) dispatcher.add(work);
      const away = new Set([1, 3, 5].map((i) => works[i]!.work));
      dispatcher.discard((work) => away.has(work));
      expect(works.map(({ state }) => state.discards)).toEqual([0, 1, 0, 1, 0, 1]);
      expect(dispatcher.size).toBe(3);
      for (const i of [0, 2, 4]) await works[i]!.finish();
      expect(works.map(({ state }) => state.runs)).toEqual([1, 0, 1, 0, 1, 0]);
      expect(dispatcher.size).toBe(0);
    });

    it('calls back what waits for its place, even when it is paused', async () => {
      const dispatcher = new Dispatcher(1);
      const wait = task();
      let back = false;
      dispatcher.add(new Task('a', (slot: Slot) => slot.aside(wait.run).then(() => (back = true))));
      dispatcher.pause();
      await wait.finish();
      dispatcher.discard(() => true);
      await turn();
      expect(back).toBe(true);
      expect(dispatcher.size).toBe(0);
    });
  });

  describe('with a rate', () => {
    it('begins no more of the limited in a time, and all of the others', async () => {
      const perMs = 200;
      const dispatcher = new Dispatcher(100, new RateGate({ limit: 10, perMs }));
      const beginnings: number[] = [];
      const done: Promise<void>[] = [];
      for (let i = 0; i < 25; i++) {
        done.push(
          new Promise((resolve) => {
            const run = (): undefined => void (beginnings.push(performance.now()), resolve());
            dispatcher.add({ ...heavy(`k${i}`, 1).work, limited: true, run });
          }),
        );
      }
      const [free] = started(dispatcher, 'free');
      expect(free!.state.begun).toBe(true);
      expect(beginnings.length).toBeLessThan(3);
      await Promise.all(done);
      // 25 at 10 in 200 ms take 500 ms.
      expect(performance.now() - beginnings[0]!).toBeGreaterThan(350);
      for (const since of beginnings) {
        const within = beginnings.filter((at) => at >= since && at < since + perMs);
        expect(within.length).toBeLessThanOrEqual(13);
      }
    });
  });
});

/** A work that ends when told to, and remembers what it was asked for. */
function heavy(key: string, bytes: number) {
  const state = { runs: 0, unloads: 0, discards: 0 };
  let finish = (): void => undefined;
  const ending = new Promise<void>((resolve) => (finish = resolve));
  const work: Work = {
    key,
    bytes,
    limited: false,
    unloaded: false,
    run: (slot) => {
      state.runs++;
      void ending.then(() => slot.end());
    },
    unload: () => void state.unloads++,
    discard: () => void state.discards++,
  };
  return { state, work, finish: async () => (finish(), void (await turn())) };
}
