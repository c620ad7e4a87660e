/** What other clients of Redis Streams get wrong about trimming, deletion and lag, done here on purpose. */
import { eventually, redisUrl } from '../support/redis.js';
import { admin } from '../support/private-redis.js';
import { gate, redisSite } from '../support/site.js';
import type { Site } from '../support/site.js';

const partition = { context: 'work', index: 0 };
const settings = { retention: { everyMs: 20 } };

const begin = async () => {
  const site = await redisSite();
  const redis = admin(redisUrl());
  return { site, redis, inbox: site.keys.log(site.inbox()) };
};

const follower = async (site: Site, group = 'work') =>
  (await site.store.survey(partition)).followers.find(
    (figures) => figures.follower.kind === 'group' && figures.follower.log === 'in' && figures.follower.group === group,
  )!;

describe('entries that somebody deletes or trims by hand', () => {
  it('do not stay pending for ever when they were being handled', async () => {
    const { site, redis, inbox } = await begin();
    await site.say('work.do', { n: 1 });
    await site.say('work.do', { n: 2 });
    const reader = site.store.openReader();
    const [first] = await reader.readGroup('work', [site.inbox()], 10, 0);
    await reader.close();
    await redis.xdel(inbox, first!.id);
    expect((await redis.xpending(inbox, 'work')).slice(0, 2)).toEqual([2, first!.id]);
    const handled: number[] = [];
    await site.start({ 'work.do': ({ n }: { n: number }) => void handled.push(n) }, settings);
    await eventually(async () => expect((await redis.xpending(inbox, 'work'))[0]).toBe(0));
    expect(handled).toEqual([2]);
    // What stays pending would keep the log from being trimmed, too.
    await eventually(async () => expect(await redis.xlen(inbox)).toBe(0));
  });

  it('do not make the lag unknown or wrong', async () => {
    const { site, redis, inbox } = await begin();
    const ids: string[] = [];
    for (let n = 0; n < 6; n++) ids.push((await redis.xadd(inbox, '*', 'type', 'work.do', 'data', '{}'))!);
    const reader = site.store.openReader();
    const delivered = await reader.readGroup('work', [site.inbox()], 2, 0);
    await reader.close();
    await redis.xack(inbox, 'work', ...delivered.map(({ id }) => id));
    await redis.xdel(inbox, ids[3]!);
    const [info] = (await redis.xinfo('GROUPS', inbox)) as unknown[][];
    const reported = info![info!.indexOf('lag') + 1];
    expect(reported).not.toBe(3);
    expect(await follower(site)).toMatchObject({ lag: 3, lagIsExact: true });
    expect(await site.store.backlog(site.inbox(), 'work')).toEqual({ pending: 0, waiting: 3 });
    await redis.xtrim(inbox, 'MAXLEN', 1);
    expect(await follower(site)).toMatchObject({ lag: 1, lagIsExact: true });
  });
});

describe('a trim by length or age', () => {
  it('never takes what is pending, whoever has it', async () => {
    const { site, redis, inbox } = await begin();
    const { passed, open: letGo } = gate();
    const handled: number[] = [];
    const retention = { everyMs: 20, inbox: { maxLength: 0, maxAgeMs: 0 } };
    await site.start(
      { 'work.do': async ({ n }: { n: number }) => (await passed, void handled.push(n)) },
      { retention },
    );
    for (let n = 0; n < 5; n++) await site.say('work.do', { n });
    await eventually(async () => expect((await follower(site)).pending).toBe(5));
    await site.store.trim(site.inbox(), { keepLength: 0, keepMs: 0, limit: 1_000 });
    expect(await redis.xlen(inbox)).toBe(5);
    letGo();
    await eventually(async () => expect(await redis.xlen(inbox)).toBe(0));
    expect(handled.sort()).toEqual([0, 1, 2, 3, 4]);
  });

  it('waits for the group of another client, which Millrace knows nothing of, and disturbs it in nothing', async () => {
    const { site, redis, inbox } = await begin();
    await redis.xgroup('CREATE', inbox, 'their group', '0', 'MKSTREAM');
    await site.start({ 'work.do': () => undefined }, settings);
    for (let n = 0; n < 3; n++) await site.say('work.do', { n });
    await eventually(async () => expect(await site.open()).toBe(0));
    expect(await site.store.trim(site.inbox(), { limit: 100 })).toMatchObject({
      count: 0,
      heldBy: { kind: 'group', group: 'their group' },
    });
    const reply = await redis.xreadgroup('GROUP', 'their group', 'them', 'COUNT', 10, 'STREAMS', inbox, '>');
    const entries = (reply as [string, [string, string[]][]][])[0]![1];
    expect(entries).toHaveLength(3);
    await redis.xack(inbox, 'their group', ...entries.map(([id]) => id));
    await eventually(async () => expect(await redis.xlen(inbox)).toBe(0));
    expect(await follower(site, 'their group')).toMatchObject({ lag: 0, pending: 0, holder: undefined });
  });

  it('waits for a registered group that somebody has destroyed', async () => {
    const { site, redis, inbox } = await begin();
    for (let n = 0; n < 3; n++) await site.say('work.do', { n });
    const handled: number[] = [];
    await site.store.createGroup(site.inbox(), 'work');
    await redis.xgroup('DESTROY', inbox, 'work');
    const reader = site.store.openReader();
    const others = await reader.readGroup('other', [site.inbox()], 10, 0);
    await reader.close();
    await redis.xack(inbox, 'other', ...others.map(({ id }) => id));
    expect(await site.store.trim(site.inbox(), { limit: 100 })).toMatchObject({ count: 0, heldBy: { group: 'work' } });
    expect(await follower(site)).toMatchObject({ lag: 3 });
    await site.start({ 'work.do': ({ n }: { n: number }) => void handled.push(n) }, settings);
    await eventually(() => expect(handled).toEqual([0, 1, 2]));
    await eventually(async () => expect(await redis.xlen(inbox)).toBe(0));
  });
});

describe('a handler that takes longer than its lease', () => {
  it('is not delivered to again by its own process, so that its age and its deliveries are true', async () => {
    const { site, redis, inbox } = await begin();
    const { passed, open: letGo } = gate();
    let begun = 0;
    await site.start({ 'work.do': async () => (begun++, passed) }, { leaseTtlMs: 200, blockMs: 20 });
    await site.say('work.do', {});
    await eventually(async () => expect((await follower(site)).oldestPending?.ms).toBeGreaterThan(1_500));
    expect(await redis.xpending(inbox, 'work', '-', '+', 10)).toEqual([
      [expect.any(String), expect.any(String), expect.any(Number), 1],
    ]);
    letGo();
    await eventually(async () => expect(await site.open()).toBe(0));
    expect(begun).toBe(1);
  });
});

describe('a log that was trimmed empty', () => {
  it('keeps its last id, so that nobody takes new entries for old ones', async () => {
    const { site, redis, inbox } = await begin();
    const handled: number[] = [];
    await site.start({ 'work.do': ({ n }: { n: number }) => void handled.push(n) }, settings);
    await redis.xadd(inbox, '99999999999999-7', 'type', 'work.do', 'data', '{"n":1}');
    await eventually(async () => expect(await redis.xlen(inbox)).toBe(0));
    expect(await redis.exists(inbox)).toBe(1);
    await site.say('work.do', { n: 2 });
    await eventually(() => expect(handled).toEqual([1, 2]));
  });
});
