import { gzipSync } from 'node:zlib';
import { Event, MessageError } from '@millrace/messages';
import {
  ConfigurationError,
  DeadLetters,
  ownLog,
  RedisPartitionStore,
  Subscriber,
  Subscriptions,
} from '@millrace/broker';
import type { GroupOptions, SubscriberSettings } from '@millrace/broker';
import { IsInt } from 'class-validator';
import { Redis } from 'ioredis';
import { eventually, onTestFinished, redisUrl } from '../support/redis.js';
import { redisSite, SITES } from '../support/site.js';
import type { Site } from '../support/site.js';

@Event('work.do')
class Do {
  @IsInt() n!: number;
}

@Event('work.other', { version: 2 })
class Other {
  @IsInt() n!: number;
}

/** A service with one group beside its own, whose handlers fail as long as they are told to. */
async function service(site: Site, options: GroupOptions = {}, settings: SubscriberSettings = {}) {
  const subscriptions = new Subscriptions(site.context);
  const state = { broken: true, seen: [] as string[] };
  for (const group of [undefined, 'mailer']) {
    subscriptions.add({
      name: group ?? 'main',
      type: 'work.do',
      contract: Do,
      context: site.context,
      log: 'in',
      ...(group === undefined ? {} : { group }),
      options,
      handle: (data, { attempt }) => {
        const { n } = data as Do;
        if (group === 'mailer' && state.broken) throw new TypeError(`mail ${n}`);
        state.seen.push(`${group ?? 'main'} ${n} attempt ${attempt}`);
      },
    });
  }
  const retry = { attempts: 2, delayMs: 1 };
  const subscriber = new Subscriber(site.broker, subscriptions, { blockMs: 50, retry, ...settings });
  onTestFinished(() => subscriber.stop());
  await subscriber.start();
  return { ...state, state, deadLetters: new DeadLetters(site.broker, subscriptions), subscriptions };
}

describe.each(SITES)('dead letters on %s', (_name, open) => {
  it('tell what happened, of all partitions, page by page, by filter', async () => {
    const site = await open({ partitions: 3 });
    const { deadLetters } = await service(site);
    const begin = Date.now();
    for (let n = 0; n < 6; n++) {
      await site.write(['type', 'work.do', 'data', `{"n":${n}}`, 'partitionkey', `k${n}`], n % 3);
      await eventually(async () => expect(await deadLetters.count()).toBe(n + 1));
    }
    await site.write(['hello', 'world']);
    await eventually(async () => expect(await deadLetters.count()).toBe(8));
    const { letters, cursor } = await deadLetters.list({ group: 'work.mailer', reason: 'handler-failed' });
    expect(cursor).toBeUndefined();
    expect(letters.map(({ key }) => key)).toEqual(['k0', 'k3', 'k1', 'k4', 'k2', 'k5']);
    const [first] = letters;
    expect(first).toMatchObject({
      ...{ id: expect.stringMatching(/^work\/0\/\d+-\d+$/), reason: 'handler-failed', error: 'mail 0' },
      ...{ errorClass: 'TypeError', type: 'work.do', attempts: 2, redriven: 0, group: 'work.mailer' },
      ...{ entry: { source: site.inbox(0), id: expect.any(String) }, message: { data: { n: 0 } } },
    });
    expect(first!.first).toBeGreaterThanOrEqual(begin);
    expect(first!.last).toBeGreaterThanOrEqual(first!.first);
    expect(await deadLetters.get(first!.id)).toEqual(first);

    const pages: string[] = [];
    let next: string | undefined;
    do {
      const page = await deadLetters.list({ type: 'work.do' }, { limit: 4, cursor: next });
      pages.push(page.letters.map(({ error }) => error).join());
      next = page.cursor;
    } while (next !== undefined);
    expect(pages).toEqual(['mail 0,mail 3,mail 1,mail 4', 'mail 2,mail 5']);

    expect(await deadLetters.count({ key: 'k4' })).toBe(1);
    expect(await deadLetters.count({ context: 'elsewhere' })).toBe(0);
    expect(await deadLetters.count({ from: begin, to: new Date(Date.now() + 1) })).toBe(8);
    expect(await deadLetters.count({ to: begin })).toBe(0);
    const unreadable = await deadLetters.list({ reason: 'malformed', group: 'work' });
    expect(unreadable.letters).toMatchObject([{ message: undefined, fields: ['hello', 'world'], attempts: 0 }]);
    await expect(deadLetters.list({}, { cursor: 'nonsense' })).rejects.toThrow(ConfigurationError);
    for (const id of ['nonsense', 'work/0/1-1', 'work/99/1-1']) {
      expect(await deadLetters.get(id)).toBeUndefined();
      expect(await deadLetters.redrive(id)).toEqual({ status: 'gone' });
      expect(await deadLetters.discard(id)).toBe(false);
    }
  });

  it('are found by either name of their group, and not by one that no group has', async () => {
    const site = await open({ partitions: 2 });
    const { deadLetters, state } = await service(site);
    await site.say('work.do', { n: 1 });
    await eventually(async () => expect(await deadLetters.count({ group: 'mailer' })).toBe(1));
    const [letter] = (await deadLetters.list({ group: 'mailer' })).letters;
    expect((await deadLetters.list({ group: 'work.mailer' })).letters).toEqual([letter]);
    expect(await deadLetters.count({ group: 'work' })).toBe(0);
    expect(await deadLetters.count({ group: 'payment.mailer' })).toBe(0);

    await site.store.createGroup(site.inbox(1), 'payment');
    const { partition } = site.inbox();
    const writes = [{ kind: 'dead-letter', letter: { ...letter!, group: 'catalog' } } as const];
    await site.broker.commit({ partition, guards: [], writes });
    expect([await deadLetters.count({ group: 'payment' }), await deadLetters.count({ group: 'catalog' })]).toEqual([
      0, 1,
    ]);
    const refusal =
      /^no group 'mailr' is known: write one of 'work', 'mailer', .*'payment'.*'catalog', or the full name/;
    const by = { group: 'mailr' };
    for (const ask of [deadLetters.list(by), deadLetters.count(by), deadLetters.redriveAll(by)]) {
      await expect(ask).rejects.toThrow(ConfigurationError);
      await expect(ask).rejects.toThrow(refusal);
    }
    await expect(deadLetters.count({ reason: 'handler-faild' })).rejects.toThrow("write 'handler-failed'");
    expect(await deadLetters.count({ reason: 'card-declined' })).toBe(0);
    state.broken = false;
    expect(await deadLetters.redriveAll({ group: 'mailer' })).toBe(1);
    await eventually(() => expect(state.seen).toContain('mailer 1 attempt 1'));
  });

  it('go back to the group that failed and to no other, with fresh attempts and their history', async () => {
    const site = await open();
    const { deadLetters, state } = await service(site);
    await site.say('work.do', { n: 1 });
    await eventually(async () => expect(await deadLetters.count()).toBe(1));
    const [before] = (await deadLetters.list()).letters;
    expect(await deadLetters.redrive(before!.id)).toEqual({ status: 'redriven' });
    await eventually(async () => expect((await deadLetters.list()).letters[0]?.redriven).toBe(1));
    const [after] = (await deadLetters.list()).letters;
    expect(after).toMatchObject({ ...before, id: expect.any(String), redriven: 1, last: expect.any(Number) });
    expect(after!.id).not.toBe(before!.id);
    expect(await deadLetters.get(before!.id)).toBeUndefined();

    state.broken = false;
    expect(await deadLetters.redriveAll({ group: 'work.mailer' })).toBe(1);
    await eventually(() => expect(state.seen).toEqual(['main 1 attempt 1', 'mailer 1 attempt 1']));
    expect(await deadLetters.count()).toBe(0);
    const own = { partition: site.inbox().partition, log: ownLog('work.mailer') };
    await eventually(async () =>
      expect(await site.store.backlog(own, 'work.mailer')).toEqual({ pending: 0, waiting: 0 }),
    );
  });

  it('are redriven edited, when the data fit the contract', async () => {
    const site = await open();
    const { deadLetters, state } = await service(site);
    await site.write(['type', 'work.do', 'data', '{"n":"one"}', 'partitionkey', 'k', 'id', 'm-1']);
    await site.write(['hello', 'world']);
    await eventually(async () => expect(await deadLetters.count()).toBe(4));
    state.broken = false;
    const find = async (reason: string) => (await deadLetters.list({ group: 'work.mailer', reason })).letters[0]!.id;
    const invalid = await find('invalid-data');
    await expect(deadLetters.redrive(invalid, { edit: { n: 'two' } })).rejects.toThrow(MessageError);
    await expect(deadLetters.redrive(invalid, { as: Other, edit: (other) => other })).rejects.toThrow(
      "the dead letter is work.do version 1, and Other is work.other version 2: edit it without 'as'",
    );
    // @ts-expect-error -- what an edit answers has the properties of the class
    void ((id: string) => deadLetters.redrive(id, { as: Do, edit: () => ({ m: 2 }) }));
    expect(await deadLetters.redrive(invalid, { as: Do, edit: (data) => ({ ...data, n: 2 }) })).toEqual({
      status: 'redriven',
    });
    const malformed = await find('malformed');
    await expect(deadLetters.redrive(malformed, { edit: { n: 3 } })).rejects.toMatchObject({ code: 'malformed' });
    expect(await deadLetters.redrive(malformed, { edit: Object.assign(new Do(), { n: 3 }) })).toEqual({
      status: 'redriven',
    });
    await eventually(() => expect(state.seen.sort()).toEqual(['mailer 2 attempt 1', 'mailer 3 attempt 1']));
    const stranger = new DeadLetters(site.broker, new Subscriptions(site.context));
    const [other] = (await stranger.list()).letters;
    await expect(stranger.redrive(other!.id, { edit: { n: 4 } })).rejects.toThrow(ConfigurationError);
  });

  it('are redriven edited, when their data were compressed', async () => {
    const site = await open();
    const { deadLetters, state } = await service(site);
    const data_base64 = gzipSync('{"n":"one"}').toString('base64');
    const attributes = { specversion: '1.0', id: 'm-1', source: '/work', type: 'work.do', partitionkey: 'k' };
    await site.write(['event', JSON.stringify({ ...attributes, dataencoding: 'gzip', data_base64 })]);
    await eventually(async () => expect(await deadLetters.count()).toBe(2));
    state.broken = false;
    const [letter] = (await deadLetters.list({ group: 'work.mailer' })).letters;
    const given: unknown[] = [];
    const edit = (data: unknown) => (given.push(data), { n: 2 });
    expect(await deadLetters.redrive(letter!.id, { edit })).toEqual({ status: 'redriven' });
    expect(given).toEqual([{ n: 'one' }]);
    await eventually(() => expect(state.seen).toEqual(['mailer 2 attempt 1']));
  });

  it('are discarded', async () => {
    const site = await open();
    const { deadLetters, state } = await service(site);
    await site.say('work.do', { n: 1 });
    await eventually(async () => expect(await deadLetters.count()).toBe(1));
    const [letter] = (await deadLetters.list()).letters;
    state.broken = false;
    expect(await Promise.all([1, 2, 3].map(() => deadLetters.discard(letter!.id)))).toEqual(
      expect.arrayContaining([true, false, false]),
    );
    expect([await deadLetters.count(), await deadLetters.redriveAll()]).toEqual([0, 0]);
    expect(state.seen).toEqual(['main 1 attempt 1']);
  });
});

describe('a dead letter on Redis', () => {
  it('is redriven once by two processes at the same time', async () => {
    const site = await redisSite();
    const { deadLetters, state, subscriptions } = await service(site);
    const url = redisUrl();
    const other = await RedisPartitionStore.connect({ url, namespace: site.namespace });
    onTestFinished(() => other.close());
    const broker = Object.assign(Object.create(site.broker) as typeof site.broker, { store: other });
    const elsewhere = new DeadLetters(broker, subscriptions);
    for (let n = 0; n < 20; n++) await site.say('work.do', { n });
    await eventually(async () => expect(await deadLetters.count()).toBe(20));
    const { letters } = await deadLetters.list();
    state.broken = false;
    const results = await Promise.all(
      letters.flatMap(({ id }) => [deadLetters.redrive(id), elsewhere.redrive(id), deadLetters.redrive(id)]),
    );
    expect(results.filter(({ status }) => status === 'redriven')).toHaveLength(20);
    await eventually(() => expect(state.seen.filter((each) => each.startsWith('mailer'))).toHaveLength(20));
    const raw = new Redis(url);
    onTestFinished(async () => void raw.disconnect());
    const partition = site.inbox().partition;
    expect(await raw.xlen(site.keys.log({ partition, log: ownLog('work.mailer') }))).toBeLessThanOrEqual(20);
  });

  it('keeps bytes that are no UTF-8, also when it fails again', async () => {
    const site = await redisSite();
    const { deadLetters } = await service(site);
    const raw = new Redis(redisUrl());
    onTestFinished(async () => void raw.disconnect());
    const bytes = Buffer.from([0x7b, 0xff, 0xfe, 0x00, 0xc3, 0x28, 0x7d]);
    await raw.xadd(site.keys.log(site.inbox()), '*', 'type', 'work.do', 'data', bytes);
    for (const redriven of [0, 1, 2]) {
      await eventually(async () =>
        expect((await deadLetters.list({ group: 'work.mailer' })).letters).toMatchObject([{ redriven }]),
      );
      await deadLetters.redriveAll({ group: 'work.mailer' });
    }
    await eventually(async () =>
      expect((await deadLetters.list({ group: 'work.mailer' })).letters[0]?.redriven).toBe(3),
    );
    const own = site.keys.log({ partition: site.inbox().partition, log: ownLog('work.mailer') });
    const [, first] = (await raw.xrangeBuffer(own, '-', '+')).at(-1)!;
    expect(first.at(-1)).toEqual(bytes);
  });
});
