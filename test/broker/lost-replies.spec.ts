import { Event } from '@millrace/messages';
import {
  DeadLetters,
  ownLog,
  RedisPartitionStore,
  StoreUnavailableError,
  Subscriptions,
  UnitOfWork,
  UnknownOutcomeError,
} from '@millrace/broker';
import type { Commit, DeadLetter, DeadLetterView, Source, Write } from '@millrace/broker';
import { Redis } from 'ioredis';
import { eventually, freshNamespace, onTestFinished, redisUrl } from '../support/redis.js';
import { redisSite } from '../support/site.js';
import type { Site } from '../support/site.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const home = { context: 'work', index: 0 };

@Event('work.done')
class Done {
  constructor(readonly n: string) {}
}

/** A site behind a proxy, and the truth behind that. */
async function proxied(): Promise<{ site: Site; proxy: TcpProxy; feed: () => Promise<readonly string[]> }> {
  const proxy = await TcpProxy.open(redisUrl());
  const site = await redisSite({ url: proxy.url });
  const direct = await RedisPartitionStore.connect({ url: redisUrl(), namespace: site.namespace });
  onTestFinished(() => direct.close());
  const feed = async () => (await direct.readFeed(home, 0, 1_000)).map(({ fields }) => fields[1]!);
  return { site, proxy, feed };
}

const append = (...events: string[]): Write => ({ kind: 'append', stream: 's', events });
const commit = (guards: Commit['guards'], ...writes: Write[]): Commit => ({ partition: home, guards, writes });

describe('when the reply to a commit is lost', () => {
  it('a commit with a version guard is repeated, not written twice, and reports what the first try did', async () => {
    const { site, proxy, feed } = await proxied();
    await site.store.commit(commit([], { kind: 'append', events: ['before'] }));
    const lost = proxy.loseReplyTo('"lost-me"');
    const began = performance.now();
    const result = await site.store.commit(
      commit(
        [{ kind: 'version', stream: 's', expected: 0 }],
        { kind: 'append', events: ['x'] },
        append('"lost-me"', 'b'),
      ),
    );
    await lost;
    expect(result).toEqual({
      status: 'committed',
      appended: [
        { position: 2, version: 0 },
        { position: 4, version: 2 },
      ],
    });
    expect(await feed()).toEqual(['before', 'x', '"lost-me"', 'b']);
    // The broken connection is noticed, not the deadline of the command.
    expect(performance.now() - began).toBeLessThan(3_000);
  });

  it('a dead letter is redriven and discarded once, and who did it is told so', async () => {
    const { site, proxy } = await proxied();
    const deadLetters = new DeadLetters(site.broker, new Subscriptions(site.context));
    for (const error of ['a', 'b']) {
      const letter: DeadLetter = {
        ...{ reason: 'handler-failed', error, errorClass: 'Error', group: 'work', type: undefined, key: undefined },
        ...{
          entry: { source: site.inbox(), id: '1-1' },
          attempts: 1,
          redriven: 0,
          first: 1,
          last: 1,
          fields: ['a', error],
        },
      };
      await site.store.commit(commit([], { kind: 'dead-letter', letter }));
    }
    const [first, second] = (await deadLetters.list()).letters as [DeadLetterView, DeadLetterView];
    const redriven = proxy.loseReplyTo(`dead-letter:${first.id.split('/')[2]}`, 2);
    expect(await deadLetters.redrive(first.id)).toEqual({ status: 'redriven' });
    await redriven;
    const discarded = proxy.loseReplyTo(`dead-letter:${second.id.split('/')[2]}`);
    expect(await deadLetters.discard(second.id)).toBe(true);
    await discarded;
    expect(await deadLetters.count()).toBe(0);
    const own: Source = { partition: home, log: ownLog('work') };
    expect(await site.store.backlog(own, 'work')).toEqual({ pending: 0, waiting: 1 });
  });

  it('a conflict stays a conflict: the same version written by somebody else is not taken for the own', async () => {
    const { site, proxy, feed } = await proxied();
    await site.store.commit(commit([], append('other')));
    const lost = proxy.loseReplyTo('"lost-me"');
    const guards = [{ kind: 'version', stream: 's', expected: 0 }] as const;
    expect(await site.store.commit(commit(guards, append('"lost-me"')))).toEqual({
      status: 'refused',
      guard: 'version',
      found: '1',
    });
    await lost;
    expect(await feed()).toEqual(['other']);
  });

  it('a commit with a revision guard is repeated and reported as committed', async () => {
    const { site, proxy } = await proxied();
    const lost = proxy.loseReplyTo('"lost-me"', 2);
    const result = await site.store.commit(
      commit([{ kind: 'revision', state: 's', expected: 0 }], { kind: 'put', state: 's', value: '"lost-me"' }),
    );
    await lost;
    expect(result).toEqual({ status: 'committed', appended: [] });
    expect(await site.store.readState(home, 's')).toEqual({ revision: 1, value: '"lost-me"' });
  });

  it('a commit with a command id is repeated and finds its own result', async () => {
    const { site, proxy, feed } = await proxied();
    const lost = proxy.loseReplyTo('"lost-me"');
    const guard = { kind: 'command', id: 'c-1', result: 'mine', ttlMs: 60_000 } as const;
    const result = await site.store.commit(commit([guard], append('"lost-me"')));
    await lost;
    expect(result).toEqual({ status: 'refused', guard: 'command', found: 'mine' });
    expect(await feed()).toEqual(['"lost-me"']);
  });

  it('a handled message is committed once', async () => {
    const { site, proxy, feed } = await proxied();
    let handled = 0;
    await site.start({
      'work.do': () => {
        handled++;
        UnitOfWork.current()!.stage(home, { writes: [append('"lost-me"')] });
      },
    });
    const lost = proxy.loseReplyTo('"lost-me"');
    await site.say('work.do', {});
    await lost;
    await eventually(async () => expect(await site.open()).toBe(0));
    expect(await feed()).toEqual(['"lost-me"']);
    expect(handled).toBe(1);
    expect(await site.deadLetters()).toEqual([]);
  });

  it('publishing with an id resolves, and publishing without one says that nobody knows', async () => {
    const { site, proxy, feed } = await proxied();
    const lost = Promise.all([proxy.loseReplyTo('lost-1'), proxy.loseReplyTo('lost-2')]);
    await site.publisher.publish(new Done('lost-1'), { id: 'once' });
    await expect(site.publisher.publish(new Done('lost-2'))).rejects.toThrow(UnknownOutcomeError);
    await lost;
    expect((await feed()).map((text) => (JSON.parse(text) as { data: Done }).data.n)).toEqual(['lost-1', 'lost-2']);
    await site.publisher.publish(new Done('lost-1'), { id: 'once' });
    expect(await feed()).toHaveLength(2);
  });
});

describe('while Redis cannot be reached', () => {
  it('a commit waits for it, even one that must not be repeated: it was never sent', async () => {
    const { site, proxy, feed } = await proxied();
    proxy.away();
    const commits = ['a', 'b'].map((event) => site.store.commit(commit([], append(event))));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await feed()).toEqual([]);
    proxy.back();
    expect(await Promise.all(commits)).toMatchObject([{ status: 'committed' }, { status: 'committed' }]);
    expect(await feed()).toEqual(['a', 'b']);
  });

  it('a commit is given up after a while, and is not written later', async () => {
    const proxy = await TcpProxy.open(redisUrl());
    const store = await RedisPartitionStore.connect({
      url: proxy.url,
      namespace: freshNamespace(),
      patienceMs: 100,
      deadlineMs: 100,
    });
    onTestFinished(() => store.close());
    proxy.away();
    await expect(store.commit(commit([], append('a')))).rejects.toThrow(StoreUnavailableError);
    proxy.back();
    expect(await store.commit(commit([], append('b')))).toMatchObject({ appended: [{ position: 1 }] });
  });
});

describe('when the reply to a read is lost', () => {
  it('no message is, and none is handled twice', async () => {
    const { site, proxy } = await proxied();
    const seen: number[] = [];
    await site.start({ 'work.do': ({ n }: { n: number }) => void seen.push(n) });
    const lost = proxy.loseReplyTo('XREADGROUP', 3);
    for (let n = 0; n < 30; n++) {
      await site.say('work.do', { n }).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await lost;
    await eventually(async () => expect(await site.open()).toBe(0));
    expect(seen.length).toBeGreaterThan(20);
    expect(new Set(seen).size).toBe(seen.length);
  });
});

describe('when all connections are cut again and again', () => {
  it('every message is committed once, in the order of its key', async () => {
    const { site, proxy, feed } = await proxied();
    const raw = await redisSite({ namespace: site.namespace });
    await site.start({
      'work.do': ({ key, n }: { key: string; n: number }) => {
        UnitOfWork.current()!.stage(home, { writes: [{ kind: 'append', events: [`${key}/${n}`] }] });
      },
    });
    for (let n = 0; n < 60; n++) {
      for (const key of ['a', 'b', 'c']) await raw.say('work.do', { key, n }, key);
      if (n % 12 === 11) {
        proxy.cut();
        await new Promise((resolve) => setTimeout(resolve, 30));
      }
    }
    await eventually(async () => expect(await raw.open()).toBe(0), 15_000);
    const events = await feed();
    for (const key of ['a', 'b', 'c']) {
      expect(events.filter((event) => event.startsWith(key))).toEqual(
        Array.from({ length: 60 }, (_, n) => `${key}/${n}`),
      );
    }
    expect(await raw.deadLetters()).toEqual([]);
  });
});

describe('when Redis forgets its scripts', () => {
  it('commits, leases and timers go on', async () => {
    const site = await redisSite();
    const admin = new Redis(redisUrl());
    onTestFinished(async () => admin.disconnect());
    for (let n = 0; n < 3; n++) {
      await admin.script('FLUSH');
      const results = await Promise.all(
        Array.from({ length: 10 }, () => site.store.commit(commit([], { kind: 'append', events: ['e'] }))),
      );
      expect(results.every(({ status }) => status === 'committed')).toBe(true);
      await admin.script('FLUSH');
      expect(await site.store.dueTimers([home], 0, 1)).toEqual({ due: [], next: undefined });
      expect(await site.store.acquireLease({ partition: home, group: 'g', owner: 'a', ttlMs: 1_000 })).toMatchObject({
        held: true,
      });
    }
    expect(await site.store.head(home)).toBe(30);
  });
});
