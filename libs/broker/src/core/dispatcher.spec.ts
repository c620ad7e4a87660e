import { setImmediate as turn } from 'node:timers/promises';
import { Dispatcher } from './dispatcher.js';

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
    dispatcher.add(key, made.run);
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
          dispatcher.add(key, async () => {
            for (let pause = (i * 31) % 5; pause > 0; pause--) await turn();
            seen.set(key, [...(seen.get(key) ?? []), i]);
            resolve();
          }),
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
      dispatcher.add('a', (slot) => slot.aside(pause.run));
      const [same, other] = started(dispatcher, 'a', 'b');
      expect(begun([same!, other!])).toEqual([false, true]);
      expect(dispatcher.size).toBe(3);
    });

    it('waits for a slot when it comes back, before tasks that have not begun', async () => {
      const dispatcher = new Dispatcher(1);
      const pause = task();
      let back = false;
      dispatcher.add('a', async (slot) => {
        await slot.aside(pause.run);
        back = true;
      });
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
      dispatcher.add('a', (slot) => slot.aside(pause.run));
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
    dispatcher.add('a', (slot) => (slot.release(), committing.run()));
    const [same, other] = started(dispatcher, 'a', 'b');
    expect(begun([same!, other!])).toEqual([false, true]);
    await committing.finish();
    await other!.finish();
    expect(begun([same!])).toEqual([true]);
    expect(dispatcher.size).toBe(1);
  });
});
