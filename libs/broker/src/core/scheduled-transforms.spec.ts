import { Command, Event } from '@millrace/messages';
import type { Envelope } from '@millrace/messages';
import { claimCheck, compress, enrich, filter, InMemoryClaimStore, restoreClaims, split } from '@millrace/transforms';
import type { OutboundTransform } from '@millrace/transforms';
import { IsOptional, IsString } from 'class-validator';
import { InMemoryPartitionStore } from '../in-memory/in-memory-partition-store.js';
import { Broker } from './broker.js';
import { DeclaredSchedules } from './declared-schedules.js';
import { departing } from './departing.js';
import { ConfigurationError } from './errors.js';
import { keepSchedules } from './keep-schedules.js';
import { silent } from './logger.js';
import { Publisher } from './publisher.js';
import { Scheduler } from './scheduler.js';

@Event('shop.reported')
class Reported {
  @IsString() text!: string;
  @IsOptional() @IsString() signed?: string;
}

@Command('shop.print')
class Print extends Command<object> {
  @IsString() text!: string;
}

const A_DAY = 86_400_000;
const NOON = Date.parse('2026-11-22T12:00:00Z');
const long = 'x'.repeat(1_000);
const reported = (text = long): Reported => Object.assign(new Reported(), { text });
const home = { context: 'shop', index: 0 };

function shop(...outbound: OutboundTransform[]) {
  const clock = { time: NOON, now: () => clock.time };
  const store = new InMemoryPartitionStore({ clock });
  const broker = new Broker(store, { context: 'shop', partitions: 1, clock });
  broker.addTransforms({ outbound });
  return {
    broker,
    scheduler: new Scheduler(broker),
    publisher: new Publisher(broker),
    /** Messages of the timers that are set, as they are kept. */
    kept: async () => (await store.listTimers(home, { prefix: '', limit: 100 })).timers.map(({ message }) => message),
    async forward(ms: number): Promise<void> {
      clock.time += ms;
      const { due } = await store.dueTimers([home], clock.now(), 100);
      for (const timer of due) await store.commit(await departing(broker, timer));
    },
    feed: async (): Promise<Envelope[]> =>
      (await store.readFeed(home, 0, 100)).map(({ fields }) => JSON.parse(fields[1]!) as Envelope),
  };
}

/** A claim store whose time goes with the test. */
function claimStore() {
  const kept = new Map<string, { readonly text: string; readonly ttlMs: number }>();
  return {
    kept,
    put: (id: string, text: string, ttlMs: number): Promise<void> => {
      kept.set(id, { text, ttlMs });
      return Promise.resolve();
    },
    get: (id: string): Promise<string | undefined> => Promise.resolve(kept.get(id)?.text),
  };
}

const later = {
  'schedule()': ({ scheduler }: ReturnType<typeof shop>, what: Reported) =>
    scheduler.schedule(what, { delayMs: 30 * A_DAY }),
  'publish() with a delay': ({ publisher }: ReturnType<typeof shop>, what: Reported) =>
    publisher.publish(what, { delayMs: 30 * A_DAY }),
};

describe.each(Object.entries(later))('what %s sets', (_name, set) => {
  it('leaves large data in a claim when it is due, so that no claim expires before', async () => {
    const claims = claimStore();
    const service = shop(claimCheck(claims, { overBytes: 10 }));
    await set(service, reported());
    expect(claims.kept.size).toBe(0);
    await service.forward(30 * A_DAY);
    const [message] = await service.feed();
    expect(message).not.toHaveProperty('data');
    expect([...claims.kept.values()]).toMatchObject([{ ttlMs: 7 * A_DAY }]);
    expect((await restoreClaims(claims).apply(message!)).data).toEqual({ text: long });
  });

  it('may be as large as what comes back from a claim, if a claim check takes it', async () => {
    const text = 'x'.repeat(300 * 1024);
    const claimed = shop(claimCheck(new InMemoryClaimStore()));
    await set(claimed, reported(text));
    await claimed.forward(30 * A_DAY);
    expect(await claimed.feed()).toMatchObject([{ dataref: expect.stringMatching(/^claim:/) }]);
    await expect(set(shop(), reported(text))).rejects.toMatchObject({ code: 'too-large' });
  });

  it('passes the other transforms that leave it one message at once, those that wait, too', async () => {
    const signed = enrich(Reported, Reported, async () => Promise.resolve({ signed: 'the editor' }));
    const service = shop(
      signed,
      compress({ overBytes: 100 }),
      claimCheck(new InMemoryClaimStore(), { overBytes: 10_000 }),
    );
    await set(service, reported());
    expect(await service.kept()).toEqual([expect.stringContaining('"dataencoding":"gzip"')]);
    await service.forward(30 * A_DAY);
    const [written] = await service.feed();
    expect(service.broker.open({ id: '1-1', fields: ['event', JSON.stringify(written)] }).data).toEqual({
      text: long,
      signed: 'the editor',
    });
  });
});

describe('each occurrence of a schedule that recurs', () => {
  it('has a claim of its own', async () => {
    const claims = claimStore();
    const { scheduler, forward, feed } = shop(claimCheck(claims, { overBytes: 10 }));
    await scheduler.schedule(reported(), { cron: '0 3 * * *', id: 'nightly' });
    await forward(A_DAY);
    await forward(A_DAY);
    const refs = (await feed()).map(({ dataref }) => (dataref as string).slice('claim:'.length));
    expect(refs).toHaveLength(2);
    expect(refs).toEqual([...claims.kept.keys()]);
  });
});

describe('a schedule whose claim store is away', () => {
  it('stays, and fires when it is back', async () => {
    const claims = claimStore();
    const { scheduler, forward, feed, kept } = shop(claimCheck(claims, { overBytes: 10 }));
    const { put } = claims;
    claims.put = () => Promise.reject(new Error('away'));
    await scheduler.schedule(reported(), { delayMs: 10 });
    await expect(forward(10)).rejects.toThrow('away');
    expect(await kept()).toHaveLength(1);
    claims.put = put;
    await forward(0);
    expect(await feed()).toHaveLength(1);
    expect(claims.kept.size).toBe(1);
  });
});

describe('a transform that does not leave a message one message', () => {
  const worthIt = filter(Reported, ({ text }) => text !== '');
  const apart = split(Reported, Print, ({ text }) => [{ text }, { text }]);
  const refusal = (name: string) =>
    `'${name}' is outbound and cannot be applied to shop.reported, which is scheduled as the one message it is`;

  it('refuses schedule(), and a schedule that stands in code when the service starts', async () => {
    for (const transform of [worthIt, apart]) {
      const { scheduler, broker } = shop(transform);
      await expect(scheduler.schedule(reported(), { delayMs: 1 })).rejects.toThrow(refusal(transform.name));
      const schedules = new DeclaredSchedules();
      schedules.add({ name: 'Nightly', message: reported(), cron: '0 3 * * *' });
      const started = keepSchedules(broker, schedules, undefined, silent);
      await expect(started).rejects.toThrow(`Nightly: ${refusal(transform.name)}`);
      await expect(started).rejects.toThrow(ConfigurationError);
    }
  });

  it('applies to what publish() delays when it is called: a filter drops it, several messages are refused', async () => {
    const filtering = shop(worthIt);
    await filtering.publisher.publish(reported(''), { delayMs: 1 });
    expect(await filtering.kept()).toEqual([]);
    await filtering.publisher.publish(reported(), { delayMs: 1 });
    expect(await filtering.kept()).toHaveLength(1);
    await expect(shop(apart).publisher.publish(reported(), { delayMs: 1 })).rejects.toThrow(
      'outbound transforms make 2 messages of shop.print, which is delayed',
    );
  });
});

describe('an event of a history', () => {
  it('is refused when a claim check would take its data, and written when it would not', () => {
    const claims = claimStore();
    const all = shop(claimCheck(claims, { overBytes: 10 })).broker;
    expect(() => all.messages.encodeRecorded(reported())).toThrow(
      `'claim-check over 10 bytes' is outbound and would leave data of shop.reported, which is read from history`,
    );
    const others = shop(claimCheck(claims, { overBytes: 10, of: [Print] })).broker;
    expect(others.messages.encodeRecorded(reported())).toMatchObject({ envelope: { data: { text: long } } });
    expect(claims.kept.size).toBe(0);
  });
});
