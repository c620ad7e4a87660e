import { setTimeout as sleep } from 'node:timers/promises';
import type { DeadLetter, Entry, Logger, RetentionOptions, Write } from '@millrace/broker';
import { retentionRules } from '@millrace/broker';
import { eventually } from '../support/redis.js';
import { gate, SITES } from '../support/site.js';
import type { Handle, Site } from '../support/site.js';

const partition = { context: 'work', index: 0 };
const QUICK = 20;

/** Collects what is said. */
function listener(): Logger & { readonly said: string[] } {
  const said: string[] = [];
  const say = (message: string): void => void said.push(message);
  return { said, debug: () => undefined, log: say, warn: say, error: say };
}

async function begin(
  site: Site,
  retention: RetentionOptions = {},
  handlers: Readonly<Record<string, Handle>> = { 'work.do': () => undefined },
) {
  const logger = listener();
  const subscriber = site.subscriber(handlers, { retention: { everyMs: QUICK, ...retention } }, logger);
  await subscriber.start();
  return { subscriber, logger };
}

const publish = (site: Site, ...events: string[]) =>
  site.store.commit({ partition, guards: [], writes: [{ kind: 'append', events }] });

/** What a group that is not run by this site has not yet been given. */
async function take(site: Site, log: 'feed' | 'in', group: string, limit = 100): Promise<readonly Entry[]> {
  const reader = site.store.openReader();
  const entries = await reader.readGroup(group, [{ partition, log }], limit, 0);
  await reader.close();
  return entries;
}

async function settle(site: Site, entries: readonly Entry[], group: string): Promise<void> {
  const guards = entries.map(({ source, id }) => ({ kind: 'input', entry: { source, id }, group }) as const);
  await site.store.commit({ partition, guards, writes: [] });
}

async function length(site: Site, log: 'feed' | 'in'): Promise<number> {
  const { logs } = await site.store.survey(partition);
  return logs.find((each) => each.log === log)!.length;
}

const positions = async (site: Site) => (await site.store.readFeed(partition, 0, 1000)).map(({ id }) => id);

describe.each(SITES)('retention on %s', (_name, open) => {
  it('removes what is acknowledged from inboxes, without being asked', async () => {
    const site = await open();
    await begin(site);
    for (let n = 0; n < 30; n++) await site.say('work.do', { n });
    await eventually(async () => expect(await length(site, 'in')).toBe(0));
  });

  it('removes nothing from inboxes where that is switched off', async () => {
    const site = await open();
    const { subscriber } = await begin(site, { inbox: false });
    await site.say('work.do', {});
    await eventually(async () => expect(await site.open()).toBe(0));
    await subscriber.stop();
    expect(await length(site, 'in')).toBe(1);
  });

  it('keeps what is being handled, and all behind it', async () => {
    const site = await open();
    const { passed, open: letGo } = gate();
    const done: number[] = [];
    const { subscriber } = await begin(
      site,
      {},
      {
        'work.do': async ({ n }: { n: number }) => {
          if (n === 1) await passed;
          done.push(n);
        },
      },
    );
    for (let n = 0; n < 5; n++) await site.say('work.do', { n });
    await eventually(() => expect(done).toEqual([0, 2, 3, 4]));
    await eventually(async () => expect(await length(site, 'in')).toBe(4));
    letGo();
    await eventually(async () => expect(await length(site, 'in')).toBe(0));
    await subscriber.stop();
  });

  it('keeps feeds for ever unless it is told otherwise', async () => {
    const site = await open();
    await begin(site);
    await publish(site, 'a', 'b');
    await site.say('work.do', {});
    await eventually(async () => expect(await length(site, 'in')).toBe(0));
    expect(await positions(site)).toEqual(['0-1', '0-2']);
  });

  it('loses nothing for a consumer that is down for longer than entries are kept, and says so', async () => {
    const site = await open();
    await site.store.createGroup({ partition, log: 'feed' }, 'down');
    const { subscriber, logger } = await begin(site, { feed: { maxAgeMs: 100 } });
    await publish(site, 'a', 'b', 'c');
    await eventually(() =>
      expect(logger.said).toContainEqual(
        expect.stringMatching(/work\/0 feed would go further, but 0-1 and all behind it is kept for group 'down'/),
      ),
    );
    const heldBy = { kind: 'group', log: 'feed', group: 'down' };
    expect(subscriber.retention.heldBack).toEqual([{ source: { partition, log: 'feed' }, heldBy }]);
    const entries = await take(site, 'feed', 'down');
    expect(entries.map(({ id }) => id)).toEqual(['0-1', '0-2', '0-3']);
    await settle(site, entries.slice(0, 1), 'down');
    await eventually(async () => expect(await positions(site)).toEqual(['0-2', '0-3']));
    await settle(site, entries.slice(1), 'down');
    // The last event stays: positions go on from it.
    await eventually(async () => expect(await positions(site)).toEqual(['0-3']));
    expect(subscriber.retention.heldBack).toEqual([]);
    expect(logger.said.filter((line) => line.includes("kept for group 'down'"))).toHaveLength(1);
  });

  it('archives before it removes, and again what a crash came between', async () => {
    const site = await open();
    await publish(site, 'a', 'b', 'c', 'd');
    const archived: string[] = [];
    const crash = { between: true };
    const archive = async (entries: readonly Entry[]): Promise<void> => {
      for (const { id } of entries) archived.push(id);
      if (crash.between) throw new Error('the process ended here');
    };
    const { subscriber, logger } = await begin(site, { feed: { maxLength: 1, archive } });
    await eventually(() =>
      expect(logger.said).toContainEqual(
        expect.stringMatching(/archive did not take work\/0 feed from 0-1 .* the process ended here/),
      ),
    );
    expect(await positions(site)).toHaveLength(4);
    expect(subscriber.retention.heldBack[0]!.archive!.message).toBe('the process ended here');
    crash.between = false;
    archived.length = 0;
    await eventually(async () => expect(await positions(site)).toEqual(['0-4']));
    expect(archived).toEqual(['0-1', '0-2', '0-3']);
    expect(subscriber.retention.heldBack).toEqual([]);
  });

  it('archives everything in order, in portions, by one process of several', async () => {
    const site = await open();
    await publish(site, ...Array.from({ length: 1200 }, (_, n) => `${n}`));
    const archived: string[] = [];
    const archive = async (entries: readonly Entry[]): Promise<void> => {
      expect(entries.length).toBeLessThanOrEqual(500);
      await sleep(5);
      for (const { id } of entries) archived.push(id);
    };
    for (let process = 0; process < 3; process++) await begin(site, { feed: { maxLength: 1, archive } });
    await eventually(async () => expect(await positions(site)).toEqual(['0-1200']));
    expect(archived).toEqual(Array.from({ length: 1199 }, (_, n) => `0-${n + 1}`));
  });

  it('is taken up by another process when the one that did it stops', async () => {
    const site = await open();
    const { subscriber } = await begin(site);
    await begin(site);
    await site.say('work.do', {});
    await eventually(async () => expect(await length(site, 'in')).toBe(0));
    await subscriber.stop();
    await site.say('work.do', {});
    await eventually(async () => expect(await length(site, 'in')).toBe(0));
  });

  it('stops before the events of aggregates, and says so', async () => {
    const site = await open();
    await publish(site, 'a');
    const append = { kind: 'append', stream: 'product-1', events: ['b', 'c'] } as const;
    await site.store.commit({ partition, guards: [], writes: [append] });
    const { logger } = await begin(site, { feed: { maxLength: 0 } });
    await eventually(() =>
      expect(logger.said).toContainEqual(expect.stringContaining('kept for the streams of events')),
    );
    expect(await positions(site)).toEqual(['0-2', '0-3']);
    expect((await site.store.readStream(partition, 'product-1')).entries).toHaveLength(2);
  });

  it('reports a group that nobody runs, lets it expire, and lets it come back where it was', async () => {
    const site = await open();
    for (const n of ['a', 'b', 'c', 'd']) await site.say('work.do', { n });
    const [a] = await take(site, 'in', 'gone', 2);
    await settle(site, [a!], 'gone');
    const { logger } = await begin(site, { followers: { reportAfterMs: 50, expireAfterMs: 250 } });
    await eventually(() =>
      expect(logger.said).toContainEqual(
        expect.stringMatching(
          /group 'gone' of log 'in' on work\/0 has not been seen .* 2 entries unread and 1 unfinished/,
        ),
      ),
    );
    await eventually(() =>
      expect(logger.said).toContainEqual(
        expect.stringMatching(/group 'gone' .* expired: it leaves 2 entries unread and 1 unfinished/),
      ),
    );
    await eventually(async () => expect(await length(site, 'in')).toBe(0));
    expect((await site.store.survey(partition)).expired).toEqual([{ log: 'in', group: 'gone' }]);
    expect(await site.store.createGroup({ partition, log: 'in' }, 'gone')).toEqual({
      status: 'restored',
      missed: true,
    });
    await site.say('work.do', { n: 'e' });
    expect(await take(site, 'in', 'gone')).toHaveLength(1);
  });

  it('neither reports nor expires a group whose process runs, however long nothing happens', async () => {
    const site = await open();
    const { logger } = await begin(site, { followers: { reportAfterMs: 400, expireAfterMs: 800 } });
    await sleep(1_200);
    await site.say('work.do', {});
    await eventually(async () => expect(await length(site, 'in')).toBe(0));
    expect(logger.said).toEqual([]);
    expect((await site.store.survey(partition)).expired).toEqual([]);
  });

  it('keeps so many dead letters', async () => {
    const site = await open();
    const fail: Handle = () => {
      throw new Error('no');
    };
    const settings = { retry: { attempts: 1 }, retention: { everyMs: QUICK } };
    const first = await site.start({ 'work.do': fail }, settings);
    for (let n = 0; n < 5; n++) await site.say('work.do', { n });
    await eventually(async () => expect(await site.deadLetters()).toHaveLength(5));
    const newest = (await site.deadLetters()).slice(-2);
    await first.stop();
    const { logger } = await begin(site, { dead: { maxLength: 2 } });
    await eventually(async () => expect(await site.deadLetters()).toEqual(newest));
    expect(logger.said).toContainEqual('retention: 3 dead letters of work/0 have been removed');
  });

  it('keeps dead letters that hold a key back, and those behind them', async () => {
    const site = await open();
    const letter = (key: string, reason: string): DeadLetter => ({
      ...{ reason, key, error: 'no', errorClass: 'Error', group: 'work', type: 'work.do', redriven: 0, attempts: 1 },
      ...{ entry: { source: site.inbox(), id: '1-1' }, first: 1, last: 1, fields: ['type', 'work.do', 'data', '{}'] },
    });
    const keep = (key: string, reason: string, park?: 'head' | 'behind'): Write => ({
      ...{ kind: 'dead-letter', letter: letter(key, reason) },
      ...(park ? { park } : {}),
    });
    const writes = [keep('c', 'old'), keep('a', 'head', 'head'), keep('a', 'parked', 'behind'), keep('a', 'other')];
    await site.store.commit({ partition, guards: [], writes });
    await begin(site, { dead: { maxAgeMs: 0 } });
    await eventually(async () =>
      expect((await site.deadLetters()).map(({ key, reason }) => [key, reason])).toEqual([
        ['a', 'head'],
        ['a', 'parked'],
      ]),
    );
  });
});

describe('retention options', () => {
  it.each([
    [{ feed: {} }, 'retention.feed has no limit: give maxAgeMs, maxLength or both'],
    [{ feed: { archive: async () => undefined } }, 'retention.feed has no limit'],
    [{ dead: {} }, 'retention.dead has no limit'],
    [{ feed: { maxAgeMs: -1 } }, 'retention has feed.maxAgeMs: -1; it must be an integer of at least 0'],
    [{ inbox: { maxLength: 1.5 } }, 'retention has inbox.maxLength: 1.5'],
    [{ everyMs: 0 }, 'retention has everyMs: 0; it must be an integer from 1 to 2147483647'],
    [{ followers: { expireAfterMs: 0 } }, 'retention has followers.expireAfterMs: 0'],
  ] satisfies [RetentionOptions, string][])('refuses %j', (options, message) => {
    expect(() => retentionRules(options)).toThrow(message);
  });
});
