import { Event } from '@millrace/messages';
import { Subscriber, Subscriptions, UnitOfWork } from '@millrace/broker';
import type { Logger } from '@millrace/broker';
import { eventually } from '../support/redis.js';
import { gate, SITES } from '../support/site.js';

@Event('work.done')
class Done {
  constructor(readonly n: number) {}
}

interface Work {
  readonly n: number;
}

/** Keeps the errors that are logged. */
function errors(): { readonly logged: string[]; readonly logger: Logger } {
  const logged: string[] = [];
  const nothing = (): void => undefined;
  return { logged, logger: { error: (text) => void logged.push(text), warn: nothing, log: nothing, debug: nothing } };
}

describe.each(SITES)('a handler that does not settle on %s', (_name, open) => {
  it('has failed after its time, is told so, and nothing that it decides later is written', async () => {
    const site = await open();
    const { passed, open: letGo } = gate();
    const late: unknown[] = [];
    const told: string[] = [];
    await site.start(
      {
        'work.do': async ({ n }: Work, { attempt, signal }) => {
          if (attempt > 1) return site.publisher.publish(new Done(n));
          signal.addEventListener('abort', () => told.push((signal.reason as Error).name));
          await site.publisher.publish(new Done(100));
          await passed;
          const publish = site.publisher.publish(new Done(200)).catch((error: unknown) => late.push(error));
          await publish;
        },
      },
      { handlerTimeoutMs: 100, retry: { delayMs: 1, jitter: 0 } },
    );
    await site.say('work.do', { n: 1 }, 'k');
    await eventually(async () => expect(await site.open()).toBe(0));
    expect(told).toEqual(['HandlerTimeoutError']);
    letGo();
    await eventually(() => expect(late).toHaveLength(1));
    expect(late[0]).toMatchObject({ code: 'handler-timeout' });
    const feed = await site.store.readFeed({ context: 'work', index: 0 }, 0, 100);
    expect(feed.map(({ fields }) => (JSON.parse(fields[1]!) as { data: Done }).data.n)).toEqual([1]);
  });

  it('does not keep its service from stopping, and its message is left to the next', async () => {
    const site = await open();
    const { logged, logger } = errors();
    const signals: AbortSignal[] = [];
    let begun = 0;
    const endless = site.subscriber(
      {
        'work.do': (_work, { signal }) => {
          begun++;
          signals.push(signal);
          return new Promise(() => undefined);
        },
      },
      { drainMs: 200 },
      logger,
    );
    await endless.start();
    await site.say('work.do', { n: 1 });
    await eventually(() => expect(begun).toBe(1));
    await endless.stop();
    expect(logged).toEqual([
      expect.stringMatching(/1 handlers? .* 200 ms .*drainMs.*site work\.do with work\/0\/in \d+-\d+$/),
    ]);
    expect(signals[0]!.aborted).toBe(true);
    expect(await site.store.backlog(site.inbox(), 'work')).toEqual({ pending: 1, waiting: 0 });
    const seen: number[] = [];
    await site.start({ 'work.do': ({ n }: Work) => void seen.push(n) });
    await eventually(() => expect(seen).toEqual([1]));
  });

  it('for every instance does not keep its service from stopping either, and is waited for until then', async () => {
    const site = await open();
    const { logged, logger } = errors();
    const { passed, open: letGo } = gate();
    const signals: AbortSignal[] = [];
    const ended: number[] = [];
    const subscriptions = new Subscriptions(site.context);
    subscriptions.add({
      name: 'Cache.done',
      type: 'work.done',
      context: site.context,
      log: 'feed',
      everyInstance: true,
      handle: async (event, { signal }) => {
        const { n } = event as Done;
        signals.push(signal);
        await (n === 1 ? passed : new Promise(() => undefined));
        ended.push(signal.aborted ? -n : n);
      },
    });
    const endless = new Subscriber(site.broker, subscriptions, { blockMs: 50, drainMs: 300 }, logger);
    await endless.start();
    for (const n of [1, 2]) await site.publisher.publish(new Done(n), { key: `${n}` });
    await eventually(() => expect(signals).toHaveLength(2));
    const stopping = endless.stop();
    letGo();
    await stopping;
    expect(ended).toEqual([1]);
    expect(signals[1]!.aborted).toBe(true);
    expect(logged).toEqual([
      expect.stringMatching(/^Cache\.done .*: 1 handlers? .* 300 ms .*drainMs.* work\.done [\w-]+$/),
    ]);
  });
});

describe.each(SITES)('a handler that always loses against others on %s', (_name, open) => {
  it('fails in the end, holding its place among those that run', async () => {
    const site = await open();
    let runs = 0;
    let together = 0;
    let running = 0;
    await site.start(
      {
        'work.do': async (_work, { entry }) => {
          runs++;
          together = Math.max(together, ++running);
          await new Promise(setImmediate);
          running--;
          const guards = [{ kind: 'version', stream: 's', expected: 1 }] as const;
          UnitOfWork.current()!.stage(entry.source.partition, { guards });
        },
      },
      { concurrency: 1, retry: { attempts: 2, delayMs: 1 } },
    );
    for (let n = 0; n < 3; n++) await site.say('work.do', { n });
    await eventually(async () => expect(await site.deadLetters()).toHaveLength(3));
    expect(await site.deadLetters()).toMatchObject(
      Array(3).fill({ reason: 'handler-failed', attempts: 2, error: expect.stringMatching(/11 times.*version: 0/) }),
    );
    expect(runs).toBe(3 * 2 * 11);
    expect(together).toBe(1);
  });
});
