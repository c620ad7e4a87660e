import { KeyBuilder, RedisPartitionStore } from '@millrace/broker';
import type { Commit, EntryRef, Partition } from '@millrace/broker';
import { admin } from '../support/private-redis.js';
import { eventually, freshNamespace, onTestFinished, redisUrl } from '../support/redis.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const from: Partition = { context: 'order', index: 0 };
const home: Partition = { context: 'mail', index: 0 };
const inbox = { partition: from, log: 'in' } as const;

/** A store as on a cluster, whose replies can be lost, and an entry that was delivered under the lease of epoch 1. */
async function delivered() {
  const proxy = await TcpProxy.open(redisUrl());
  const namespace = freshNamespace();
  const store = await RedisPartitionStore.connect({ url: proxy.url, namespace, delivery: 'outbox' });
  onTestFinished(() => store.close());
  const keys = new KeyBuilder(namespace);
  const raw = admin(redisUrl());
  await store.createGroup(inbox, 'mail');
  await store.acquireLease({ partition: from, group: 'mail', owner: 'me', ttlMs: 60_000 });
  await raw.xadd(keys.log(inbox), '*', 'event', '{}');
  const reader = store.openReader();
  onTestFinished(() => reader.close());
  const [entry] = await reader.readGroup('mail', [inbox], 1, 0);
  return { proxy, store, keys, raw, entry: entry! };
}

const decided = (entry: EntryRef, events = ['sent']): Commit => ({
  partition: home,
  guards: [
    { kind: 'lease', partition: from, group: 'mail', epoch: 1 },
    { kind: 'input', entry, group: 'mail' },
  ],
  writes: [{ kind: 'append', events }],
});

describe('a commit whose input is in another slot', () => {
  it('is done once, whichever replies are lost', async () => {
    const { proxy, store, keys, raw, entry } = await delivered();
    // To the look, to the commit, to the acknowledgement, and to what forgets the mark.
    const lost = proxy.loseReplyTo(entry.id, 4);
    expect(await store.commit(decided(entry))).toMatchObject({ status: expect.any(String) as string });
    await lost;
    expect(await store.head(home)).toBe(1);
    expect(await store.backlog(inbox, 'mail')).toEqual({ pending: 0, waiting: 0 });
    expect(await store.commit(decided(entry))).toEqual({ status: 'refused', guard: 'input', found: 'acknowledged' });
    expect(await store.head(home)).toBe(1);
    await eventually(async () => expect(await raw.hkeys(keys.taken(home, 'mail', from))).toEqual(['epoch']));
  });

  it('is acknowledged and not done again after a crash between the two', async () => {
    const { store, keys, raw, entry } = await delivered();
    await raw.hset(keys.taken(home, 'mail', from), `in/${entry.id}`, '');
    expect(await store.commit(decided(entry))).toEqual({ status: 'refused', guard: 'input', found: 'acknowledged' });
    expect(await store.head(home)).toBe(0);
    expect(await store.backlog(inbox, 'mail')).toEqual({ pending: 0, waiting: 0 });
    await eventually(async () => expect(await raw.hkeys(keys.taken(home, 'mail', from))).toEqual([]));
  });

  it('is refused when the successor of its holder has committed there, though its own lease looked held', async () => {
    const { store, keys, raw, entry } = await delivered();
    await raw.hset(keys.taken(home, 'mail', from), 'epoch', 2);
    expect(await store.commit(decided(entry))).toEqual({ status: 'refused', guard: 'lease', found: '2' });
    expect(await store.head(home)).toBe(0);
    expect(await store.backlog(inbox, 'mail')).toEqual({ pending: 1, waiting: 0 });
  });

  it('writes nothing and acknowledges nothing when a guard at home is refused', async () => {
    const { store, entry } = await delivered();
    const commit = decided(entry);
    const guards = [...commit.guards, { kind: 'revision', state: 's', expected: 3 }] as const;
    expect(await store.commit({ ...commit, guards })).toEqual({ status: 'refused', guard: 'revision', found: '0' });
    expect(await store.head(home)).toBe(0);
    expect(await store.backlog(inbox, 'mail')).toEqual({ pending: 1, waiting: 0 });
    expect((await store.commit(commit)).status).toBe('committed');
  });
});

describe('messages in an outbox', () => {
  it('arrive once and in order, whichever replies are lost', async () => {
    const { proxy, store } = await delivered();
    const lost = [proxy.loseReplyTo(':relayed', 3), proxy.loseReplyTo('xdel', 1), proxy.loseReplyTo('XDEL', 1)];
    const messages = Array.from({ length: 50 }, (_, n) => `${n}`);
    for (const message of messages) {
      const writes = [{ kind: 'emit', to: home, message }] as const;
      const guards = [{ kind: 'command', id: message, result: '', ttlMs: 60_000 }] as const;
      await store.commit({ partition: from, guards, writes });
    }
    await lost[0];
    await eventually(async () => expect(await store.relay!(from)).toBe(0));
    const arrived = await store.readLog({ partition: home, log: 'in' }, '0', 1_000);
    expect(arrived.map(({ fields }) => fields[1])).toEqual(messages);
  });

  it('wait for a target that cannot take them, and do not hold up the others', async () => {
    const { store, keys, raw } = await delivered();
    const blocked = { context: 'blocked', index: 0 };
    await raw.set(keys.log({ partition: blocked, log: 'in' }), 'no stream');
    const emit = (to: Partition) => ({ kind: 'emit', to, message: to.context }) as const;
    await store.commit({ partition: from, guards: [], writes: [emit(blocked), emit(home), emit(blocked)] });
    await expect(store.relay!(from)).rejects.toThrow('WRONGTYPE');
    const at = async (partition: Partition) =>
      (await store.readLog({ partition, log: 'in' }, '0', 10)).map(({ fields }) => fields[1]);
    expect(await at(home)).toEqual(['mail']);
    await raw.del(keys.log({ partition: blocked, log: 'in' }));
    await store.relay!(from);
    expect(await at(blocked)).toEqual(['blocked', 'blocked']);
    expect(await at(home)).toEqual(['mail']);
  });

  it('are told of when no commit has written them, and do not hold up the others', async () => {
    const { store, keys, raw } = await delivered();
    const id = await raw.xadd(keys.out(from), '*', 'note', 'by hand');
    await store.commit({ partition: from, guards: [], writes: [{ kind: 'emit', to: home, message: 'm' }] });
    await expect(store.relay!(from)).rejects.toThrow(`holds entries that no commit has written, ${id}: remove them`);
    expect(await store.readLog({ partition: home, log: 'in' }, '0', 10)).toHaveLength(1);
  });
});
