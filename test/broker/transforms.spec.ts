import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Handles, On, Publisher } from '@millrace/broker';
import type { MessageContext } from '@millrace/broker';
import { Command, Event, Reply } from '@millrace/messages';
import {
  aggregate,
  claimCheck,
  compress,
  enrich,
  filter,
  normalize,
  recipientList,
  redact,
  restoreClaims,
  route,
  routingSlip,
  split,
  translate,
  wireTap,
} from '@millrace/transforms';
import type { ClaimStore } from '@millrace/transforms';
import { IsArray, IsInt, IsString } from 'class-validator';
import { eventually, onTestFinished } from '../support/redis.js';
import { Meeting } from '../support/services.js';

@Event('shop.placed', { key: 'id' })
class Placed {
  @IsString() id!: string;
  @IsArray() skus!: string[];
}

@Event('shop.noted', { key: 'id' })
class Noted {
  @IsString() id!: string;
}

@Reply('depot.shipped')
class Shipped {
  @IsString() sku!: string;
}

@Command('depot.ship', { key: 'id' })
class Ship extends Command<Shipped> {
  @IsString() id!: string;
  @IsString() sku!: string;
}

@Command('depot.pack', { key: 'id' })
class Pack extends Command<Shipped> {
  @IsString() id!: string;
  @IsArray() skus!: string[];
}

@Event('depot.counted', { key: 'id' })
class Counted {
  @IsString() id!: string;
  @IsInt() count!: number;
}

const make = <T extends object>(type: new () => T, data: Partial<T>): T => Object.assign(new type(), data);
const log: string[] = [];
beforeEach(() => {
  log.length = 0;
});

@Injectable()
class Shipping {
  @Handles(Ship) ship({ id, sku }: Ship, { envelope }: MessageContext): Shipped {
    log.push(`${id} ${sku} ${envelope.id.includes('/') ? 'part' : 'whole'}`);
    return make(Shipped, { sku });
  }
}

/** The claim store that comes with the stores of its services. */
async function claimsOf(meeting: Meeting): Promise<ClaimStore> {
  const store = await meeting.open();
  onTestFinished(() => store.close());
  return store.claims;
}

const toShip = split(Placed, Ship, ({ id, skus }) => skus.map((sku) => ({ id, sku })));

describe.each([
  ['memory', () => Meeting.inMemory()],
  ['Redis', () => Meeting.inRedis()],
])('transforms in %s', (_name, open) => {
  describe('at the publishing side', () => {
    it('split one message into several, which arrive in order', async () => {
      const meeting = open();
      await meeting.service({ context: 'depot', providers: [Shipping] });
      const shop = await meeting.service({ context: 'shop', feature: { outbound: [toShip] } });
      await shop.publisher.publish(make(Placed, { id: 'o', skus: ['a', 'b', 'c'] }), { id: 'once' });
      await shop.publisher.publish(make(Placed, { id: 'o', skus: ['a', 'b', 'c'] }), { id: 'once' });
      await shop.publisher.publish(make(Placed, { id: 'end', skus: ['z'] }));
      await eventually(() => expect(log).toContain('end z part'));
      expect(log.filter((line) => line.startsWith('o'))).toEqual(['o a part', 'o b part', 'o c part']);
      expect(await shop.feed()).toEqual([]);
    });

    it('write the message, its tap and what is copied in one commit, or nothing', async () => {
      const meeting = open();
      const shop = await meeting.service({
        context: 'shop',
        feature: {
          outbound: [wireTap(Placed, Noted, ({ id }) => ({ id })), filter(Placed, ({ id }) => id !== 'secret')],
        },
      });
      await shop.publisher.publish(make(Placed, { id: 'a', skus: [] }));
      await shop.publisher.publish(make(Placed, { id: 'secret', skus: [] }));
      expect((await shop.feed()).map(({ type }) => type)).toEqual(['shop.placed', 'shop.noted', 'shop.noted']);
    });

    it('choose the context of a command', async () => {
      @Injectable()
      class Routed {
        @Handles(Ship, { routed: true }) ship({ sku }: Ship, { entry }: MessageContext): Shipped {
          log.push(`${sku} at ${entry.source.partition.context}`);
          return make(Shipped, { sku });
        }
      }
      const meeting = open();
      await meeting.service({ context: 'north', providers: [Routed] });
      await meeting.service({ context: 'south', providers: [Routed] });
      const choose = route(Ship, ['north', 'south'], ({ sku }) => (sku < 'm' ? 'north' : 'south'));
      const everywhere = recipientList(Ship, ['north', 'south'], ({ sku }) =>
        sku === 'all' ? ['north', 'south'] : [],
      );
      const shop = await meeting.service({ context: 'shop', feature: { outbound: [choose] } });
      const lister = await meeting.service({ context: 'lister', feature: { outbound: [everywhere] } });
      for (const sku of ['a', 'z']) await shop.publisher.send(make(Ship, { id: sku, sku }));
      for (const sku of ['all', 'none']) await lister.publisher.send(make(Ship, { id: sku, sku }));
      await eventually(() =>
        expect(log.toSorted()).toEqual(['a at north', 'all at north', 'all at south', 'z at south']),
      );
    });

    it('send a command from stop to stop, changed on its way, and its reply to who sent it', async () => {
      const stop = (name: string, change: (pack: Pack) => Pack | Shipped | undefined) => {
        @Injectable()
        class Stop {
          @Handles(Pack, { routed: true }) pack(pack: Pack): Pack | Shipped | void {
            log.push(`${name} ${pack.skus.join('')}`);
            return change(pack);
          }
        }
        return { context: name, providers: [Stop] };
      };
      const meeting = open();
      await meeting.service(stop('cutting', (pack) => make(Pack, { ...pack, skus: [...pack.skus, '!'] })));
      await meeting.service(stop('painting', () => undefined));
      await meeting.service(stop('packing', ({ skus }) => make(Shipped, { sku: skus.join('') })));
      const slip = routingSlip(Pack, ['cutting', 'painting', 'packing'], ({ id }) =>
        id === 'plain' ? ['cutting', 'packing'] : ['cutting', 'painting', 'packing'],
      );
      const shop = await meeting.service({ context: 'shop', feature: { outbound: [slip] } });
      const { Requester } = await import('@millrace/broker');
      const requester = shop.app.get(Requester);
      expect(await requester.request(make(Pack, { id: 'plain', skus: ['a'] }))).toEqual({ sku: 'a!' });
      expect(log).toEqual(['cutting a', 'packing a!']);
      expect(await requester.request(make(Pack, { id: 'fine', skus: ['b'] }))).toEqual({ sku: 'b!' });
      expect(log.slice(2)).toEqual(['cutting b', 'painting b!', 'packing b!']);
    });

    it('apply to what handlers emit and reply', async () => {
      @Injectable()
      class Desk {
        constructor(private readonly publisher: Publisher) {}
        @Handles(Pack) async pack({ id, skus }: Pack): Promise<Shipped> {
          await this.publisher.publish(make(Counted, { id, count: skus.length }));
          return make(Shipped, { sku: skus.join() });
        }
      }
      const tap = wireTap(Shipped, Counted, () => ({ id: 'tapped', count: 0 }));
      const meeting = open();
      const depot = await meeting.service({
        context: 'depot',
        providers: [Desk],
        feature: {
          outbound: [
            enrich(Counted, Counted, async ({ count }) => ({ count: await Promise.resolve(count + 100) })),
            tap,
          ],
        },
      });
      const { Requester } = await import('@millrace/broker');
      const shop = await meeting.service({ context: 'shop' });
      const reply = await shop.app.get(Requester).request(make(Pack, { id: 'o', skus: ['a', 'b'] }));
      expect(reply).toEqual({ sku: 'a,b' });
      expect((await depot.feed()).map(({ data }) => data)).toEqual([
        { id: 'o', count: 102 },
        { id: 'tapped', count: 0 },
      ]);
    });

    it('fail who publishes, by name', async () => {
      const broken = split(Placed, Ship, () => {
        throw new Error('no stock');
      });
      const shop = await open().service({ context: 'shop', feature: { outbound: [broken] } });
      await expect(shop.publisher.publish(make(Placed, { id: 'o', skus: [] }))).rejects.toThrow(
        'split shop.placed -> depot.ship (step 1): no stock',
      );
    });
  });

  describe('at the consuming side', () => {
    it('split one entry into several messages, handled one after the other in one commit', async () => {
      const states: number[] = [];
      @Injectable()
      class Desk {
        constructor(private readonly publisher: Publisher) {}
        @On(Counted, {
          from: 'shop',
          inbound: [split(Placed, Counted, ({ id, skus }) => skus.map((sku) => ({ id: id + sku, count: 1 })))],
        })
        async counted({ id }: Counted): Promise<void> {
          states.push(await store.head({ context: 'depot', index: 0 }));
          await this.publisher.publish(make(Counted, { id, count: 1 }));
          if (id === 'oc' && log.push('failed') < 2) throw new Error('once');
        }
      }
      const meeting = open();
      const depot = await meeting.service({ context: 'depot', providers: [Desk] });
      const { store } = depot;
      const shop = await meeting.service({ context: 'shop' });
      await shop.publisher.publish(make(Placed, { id: 'o', skus: ['a', 'b', 'c'] }));
      await eventually(async () => expect(await depot.feed()).toHaveLength(3));
      // Nothing was written before the third was handled, nor by the attempt that failed in it.
      expect(states).toEqual([0, 0, 0, 0, 0, 0]);
      expect((await depot.feed()).map(({ data }) => (data as Counted).id)).toEqual(['oa', 'ob', 'oc']);
    });

    it('drop what a filter refuses without a dead letter, and count it', async () => {
      @Injectable()
      class Desk {
        @On(Placed, { inbound: [filter(Placed, ({ skus }) => skus.length > 0)] }) placed({ id }: Placed): void {
          log.push(id);
        }
      }
      const meeting = open();
      const depot = await meeting.service({ context: 'depot', providers: [Desk] });
      const shop = await meeting.service({ context: 'shop' });
      await shop.publisher.publish(make(Placed, { id: 'empty', skus: [] }));
      await shop.publisher.publish(make(Placed, { id: 'full', skus: ['a'] }));
      await eventually(() => expect(log).toEqual(['full']));
      await eventually(() => expect(depot.subscriber.filtered.get('depot')).toBe(1));
      expect(await depot.deadLetters(0, 'shop')).toEqual([]);
    });

    it('choose the handler of a route, and the one without a route for the rest', async () => {
      @Injectable()
      class Desk {
        @On(Placed, { route: 'books' }) books({ id }: Placed): void {
          log.push(`books ${id}`);
        }
        @On(Placed) rest({ id }: Placed): void {
          log.push(`rest ${id}`);
        }
      }
      const meeting = open();
      const choose = recipientList(Placed, ['books', 'rest'], ({ id }) =>
        id === 'both' ? ['books', 'rest'] : [id === 'b' ? 'books' : 'rest'],
      );
      await meeting.service({ context: 'depot', providers: [Desk], feature: { inbound: [choose] } });
      const shop = await meeting.service({ context: 'shop' });
      for (const id of ['b', 'x', 'both']) await shop.publisher.publish(make(Placed, { id, skus: [] }));
      await eventually(() => expect(log.toSorted()).toEqual(['books b', 'books both', 'rest both', 'rest x']));
    });

    it('apply to one group by its name, and make several shapes one', async () => {
      @Injectable()
      class Desk {
        @On(Counted, { group: 'audit' }) audit({ id, count }: Counted): void {
          log.push(`audit ${id} ${count}`);
        }
        @On(Counted) plain({ id, count }: Counted): void {
          log.push(`plain ${id} ${count}`);
        }
      }
      const isText = (data: unknown): data is { text: string } => typeof (data as { text?: unknown }).text === 'string';
      const meeting = open();
      const depot = await meeting.service({
        context: 'depot',
        providers: [Desk],
        groups: { audit: { inbound: [redact(Counted, 'id')] } },
        feature: {
          inbound: [normalize(Counted).accepts('depot.told', isText, ({ text }) => ({ id: text, count: text.length }))],
        },
      });
      const told = { specversion: '1.0', id: 't', source: '/x', type: 'depot.told', data: { text: 'abc' } };
      const partition = { context: 'depot', index: 0 };
      await depot.broker.commit({
        partition,
        guards: [],
        writes: [{ kind: 'append', events: [JSON.stringify(told)] }],
      });
      await eventually(() => expect(log.toSorted()).toEqual(['audit [redacted] 3', 'plain abc 3']));
    });

    it('dead-letter what a pure one throws at once, with its name and step', async () => {
      const broken = translate(Placed, Noted, () => {
        throw new Error('no words');
      });
      @Injectable()
      class Desk {
        @On(Noted, { inbound: [redact(Placed, 'id'), broken], from: 'shop' }) noted(): void {
          log.push('noted');
        }
        @On(Placed, {
          group: 'second',
          inbound: [
            filter(Placed, () => true),
            filter(Placed, () => {
              throw new Error('no idea');
            }),
          ],
        })
        placed(): void {
          log.push('placed');
        }
      }
      const meeting = open();
      const depot = await meeting.service({ context: 'depot', providers: [Desk] });
      const shop = await meeting.service({ context: 'shop' });
      await shop.publisher.publish(make(Placed, { id: 'o', skus: [] }));
      await eventually(async () => expect(await depot.deadLetters(0, 'shop')).toHaveLength(2));
      const letters = await depot.deadLetters(0, 'shop');
      expect(letters.find(({ group }) => group === 'depot')).toMatchObject({
        reason: 'transform-failed',
        error: 'translate shop.placed -> shop.noted (step 2): no words',
        attempts: 0,
      });
      expect(letters.find(({ group }) => group === 'depot.second')).toMatchObject({
        reason: 'transform-failed',
        error: 'filter shop.placed (step 2): no idea',
        attempts: 1,
      });
      expect(log).toEqual([]);
    });

    it('try again what waits and fails, and dead-letter it in the end', async () => {
      const flaky = enrich(Placed, Placed, async ({ id }) => {
        if (log.push(`asked ${id}`) === 1 || id === 'never') throw new Error('the query failed');
        return await Promise.resolve({ skus: ['asked'] });
      });
      @Injectable()
      class Desk {
        @On(Placed) placed({ skus }: Placed): void {
          log.push(skus.join());
        }
      }
      const meeting = open();
      const depot = await meeting.service({ context: 'depot', providers: [Desk], feature: { inbound: [flaky] } });
      const shop = await meeting.service({ context: 'shop' });
      await shop.publisher.publish(make(Placed, { id: 'o', skus: [] }));
      await eventually(() => expect(log).toEqual(['asked o', 'asked o', 'asked']));
      await shop.publisher.publish(make(Placed, { id: 'never', skus: [] }));
      await eventually(async () =>
        expect(await depot.deadLetters(0, 'shop')).toMatchObject([
          {
            reason: 'transform-failed',
            error: 'enrich shop.placed -> shop.placed (step 1): the query failed',
            attempts: 2,
          },
        ]),
      );
    });
  });

  describe('that carry large data', () => {
    @Injectable()
    class Desk {
      @On(Placed) placed({ skus }: Placed, { envelope }: MessageContext): void {
        log.push(
          `${skus.length} ${Object.keys(envelope)
            .filter((name) => name.startsWith('data'))
            .join()}`,
        );
      }
    }

    it('compress them, and every consumer brings them back', async () => {
      const meeting = open();
      await meeting.service({ context: 'depot', providers: [Desk] });
      const shop = await meeting.service({
        context: 'shop',
        feature: { outbound: [compress({ encoding: 'br' })] },
      });
      await shop.publisher.publish(make(Placed, { id: 'o', skus: Array.from({ length: 50_000 }, () => 'socks') }));
      await eventually(() => expect(log).toEqual(['50000 data']));
      const [written] = await shop.feed();
      expect(written).toMatchObject({ dataencoding: 'br', data_base64: expect.any(String) });
      expect(JSON.stringify(written).length).toBeLessThan(1_000);
    });

    it('keep them in a claim store, and dead-letter what is no longer there', async () => {
      const meeting = open();
      const claims = await claimsOf(meeting);
      const depot = await meeting.service({
        context: 'depot',
        providers: [Desk],
        feature: { inbound: [restoreClaims(claims)] },
      });
      const shop = await meeting.service({
        context: 'shop',
        feature: { outbound: [compress(), claimCheck(claims, { overBytes: 100 })] },
      });
      const skus = Array.from({ length: 1_000 }, (_, i) => `sku ${i}`);
      await shop.publisher.publish(make(Placed, { id: 'o', skus }));
      await shop.publisher.publish(make(Placed, { id: 'small', skus: ['a'] }));
      await eventually(() => expect(log.toSorted()).toEqual(['1 data', '1000 data']));
      const [written] = await shop.feed();
      expect(written).not.toHaveProperty('data');
      const { dataref } = written as unknown as { readonly dataref: string };
      expect(await claims.get(dataref.replace(/^claim:/, ''))).toContain('data');
      const lost = { specversion: '1.0', id: 'l', source: '/shop', type: 'shop.placed', dataref: 'claim:gone' };
      await shop.broker.commit({
        partition: { context: 'shop', index: 0 },
        guards: [],
        writes: [{ kind: 'append', events: [JSON.stringify(lost)] }],
      });
      await eventually(async () =>
        expect(await depot.deadLetters(0, 'shop')).toMatchObject([
          { reason: 'claim-missing', error: expect.stringContaining('claim gone has expired'), attempts: 1 },
        ]),
      );
    });

    it('say what is missing to a consumer that does not restore them', async () => {
      const meeting = open();
      const claims = await claimsOf(meeting);
      const depot = await meeting.service({ context: 'depot', providers: [Desk] });
      const shop = await meeting.service({
        context: 'shop',
        feature: { outbound: [claimCheck(claims, { overBytes: 1 })] },
      });
      await shop.publisher.publish(make(Placed, { id: 'o', skus: ['a'] }));
      await eventually(async () =>
        expect(await depot.deadLetters(0, 'shop')).toMatchObject([
          { reason: 'claim-missing', error: expect.stringContaining('declare inbound: [restoreClaims(store)]') },
        ]),
      );
    });
  });

  describe('that gather', () => {
    const whole = (more: object) =>
      aggregate(Ship, Pack, {
        by: ({ id }) => id,
        combine: (parts, end) => ({ id: parts[0]!.id, skus: [...parts.map(({ sku }) => sku), end] }),
        ...more,
      });
    @Injectable()
    class Packing {
      @Handles(Pack) pack({ id, skus }: Pack): Shipped {
        log.push(`${id} ${skus.join()}`);
        return make(Shipped, { sku: id });
      }
    }

    @Injectable()
    class Telling {
      constructor(private readonly publisher: Publisher) {}
      @Handles(Pack) async pack({ id, skus }: Pack): Promise<Shipped> {
        await this.publisher.publish(make(Counted, { id: skus.join(), count: 1 }), { key: id });
        return make(Shipped, { sku: id });
      }
    }

    it('give one message for a number of messages, from whatever partition, and begin anew', async () => {
      const depot = await open().service({
        context: 'depot',
        partitions: 3,
        providers: [Telling],
        feature: { inbound: [whole({ count: 3 })] },
      });
      const send = (id: string, sku: string, key: string) => depot.publisher.send(make(Ship, { id, sku }), { key });
      // Keys of several partitions: handled at the same time, by consumers that know nothing of each other.
      await Promise.all(Array.from({ length: 30 }, (_, i) => send('o', `${i}`, `key ${i}`)));
      const { index } = depot.broker.partitionFor('o');
      await eventually(async () => expect(await depot.feed(index)).toHaveLength(10));
      const counted = (await depot.feed(index)).flatMap(({ data }) => (data as Counted).id.split(',').slice(0, 3));
      expect(counted.toSorted((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 30 }, (_, i) => `${i}`));
      // Its revision stays for a while: who read the aggregate before its end cannot take a later one for it.
      const state = await depot.store.readState({ context: 'depot', index }, 'aggregate:depot:depot.pack:o');
      expect(state).toEqual({ revision: 30, value: 'null' });
    });

    it('are changed by one process at a time, though each has parts of its own', async () => {
      const meeting = open();
      const options = {
        context: 'depot',
        partitions: 3,
        retry: { attempts: 10, delayMs: 1 },
        providers: [Telling],
        feature: { inbound: [whole({ count: 3 })] },
      };
      const publisher = await meeting.service({ ...options, autoStart: false });
      const send = (sku: string) => publisher.publisher.send(make(Ship, { id: 'o', sku }), { key: `key ${sku}` });
      const services = [await meeting.service(options), await meeting.service(options)];
      await eventually(() => {
        for (const { subscriber } of services) expect(subscriber.partitions.get('depot')).not.toEqual([]);
      });
      // Long enough for the other process to change what this one has read.
      for (const { store } of services) {
        const readState = store.readState.bind(store);
        store.readState = async (...args) => {
          const state = await readState(...args);
          await sleep(5);
          return state;
        };
      }
      await Promise.all(Array.from({ length: 30 }, (_, i) => send(`${i}`)));
      const { index } = publisher.broker.partitionFor('o');
      await eventually(async () => expect(await publisher.feed(index)).toHaveLength(10));
      const counted = (await publisher.feed(index)).flatMap(({ data }) => (data as Counted).id.split(',').slice(0, 3));
      expect(counted.toSorted((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 30 }, (_, i) => `${i}`));
    });

    it('end when a predicate holds, and count what is published twice once', async () => {
      const depot = await open().service({
        context: 'depot',
        providers: [Packing],
        feature: { inbound: [whole({ when: (parts: readonly Ship[]) => parts.at(-1)!.sku === 'last' })] },
      });
      await depot.publisher.send(make(Ship, { id: 'o', sku: 'a' }));
      const { text } = await depot.broker.messages.encode(make(Ship, { id: 'o', sku: 'b' }));
      const to = { context: 'depot', index: 0 };
      for (let i = 0; i < 2; i++) {
        await depot.broker.commit({ partition: to, guards: [], writes: [{ kind: 'emit', to, message: text }] });
      }
      await depot.publisher.send(make(Ship, { id: 'o', sku: 'last' }));
      await eventually(() => expect(log).toEqual(['o a,b,last,complete']));
    });

    it('end when their time is over, once, and not when they were complete before', async () => {
      const depot = await open().service({
        context: 'depot',
        providers: [Packing],
        feature: { inbound: [whole({ count: 2, withinMs: 300 })] },
      });
      await depot.publisher.send(make(Ship, { id: 'late', sku: 'a' }));
      await depot.publisher.send(make(Ship, { id: 'full', sku: 'a' }));
      await depot.publisher.send(make(Ship, { id: 'full', sku: 'b' }));
      await eventually(() => expect(log).toEqual(['full a,b,complete', 'late a,timeout']));
      await depot.publisher.send(make(Ship, { id: 'next', sku: 'a' }));
      await eventually(() => expect(log.slice(2)).toEqual(['next a,timeout']));
    });

    it('end in time for a group that reads another context only', async () => {
      @Injectable()
      class Watch {
        @On(Noted, {
          inbound: [
            aggregate(Placed, Noted, { by: ({ id }) => id, withinMs: 100, combine: ([first]) => ({ id: first!.id }) }),
          ],
          from: 'shop',
          group: 'watch',
        })
        noted({ id }: Noted): void {
          log.push(`noted ${id}`);
        }
      }
      const meeting = open();
      await meeting.service({ context: 'depot', providers: [Watch] });
      const shop = await meeting.service({ context: 'shop' });
      await shop.publisher.publish(make(Placed, { id: 'o', skus: [] }));
      await eventually(() => expect(log).toEqual(['noted o']));
    });

    it('lose nothing and count nothing twice when handlers fail and services stop in the middle', async () => {
      const meeting = open();
      let failures = 0;
      @Injectable()
      class Failing {
        @Handles(Pack) pack({ id, skus }: Pack): Shipped {
          if (failures++ % 2 === 0) throw new Error('not yet');
          log.push(`${id} ${skus.slice(0, -1).join('')}`);
          return make(Shipped, { sku: id });
        }
      }
      const options = { context: 'depot', providers: [Failing], feature: { inbound: [whole({ count: 5 })] } };
      const publisher = await meeting.service({ context: 'shop' });
      for (const sku of 'abc') await publisher.publisher.send(make(Ship, { id: 'o', sku }));
      const first = await meeting.service(options);
      await eventually(async () => {
        const state = await first.store.readState({ context: 'depot', index: 0 }, 'aggregate:depot:depot.pack:o');
        expect(state?.revision).toBeGreaterThan(0);
      });
      if (_name === 'Redis') await first.close();
      else await first.subscriber.stop();
      for (const sku of 'de') await publisher.publisher.send(make(Ship, { id: 'o', sku }));
      await meeting.service(options);
      await eventually(() => expect(log).toEqual(['o abcde']));
    });
  });
});
