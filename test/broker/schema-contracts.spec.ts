import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Broker, BrokerModule, Handles, On, Publisher } from '@millrace/broker';
import type { BrokerFeatureOptions } from '@millrace/broker';
import { Command, Event, Reply, Schema } from '@millrace/messages';
import { Saga, saga, SagaModule, Sagas, scenario } from '@millrace/saga';
import { translate } from '@millrace/transforms';
import { type } from 'arktype';
import { IsInt } from 'class-validator';
import * as v from 'valibot';
import { z } from 'zod';
import { eventually, onTestFinished } from '../support/redis.js';
import { redisStore } from '../support/store.js';

const orderId = z.string().min(1);

@Event('shop.placed', { key: 'orderId' })
class Placed extends Schema(z.object({ orderId, total: z.int().min(0), currency: z.string().default('EUR') })) {}

@Reply('shop.charged')
class Charged extends Schema(v.object({ receipt: v.string() })) {}

@Reply('shop.declined', { failure: true })
class Declined extends Schema(v.object({ reason: v.string() })) {}

@Command('shop.charge', { key: 'orderId', replies: [Charged, Declined] })
class Charge extends Schema(z.object({ orderId, cents: z.int() }))<Charged, Declined> {}

@Event('shop.weighed', { key: 'orderId' })
class Weighed extends Schema(type({ orderId: 'string > 0', grams: 'number.integer >= 0', unit: "string = 'g'" })) {}

@Event('shop.arrived')
class Arrived {
  @IsInt() total!: number;
}

interface State {
  readonly orderId: string;
  readonly total: number;
  readonly receipt?: string;
}

const started = saga<State>().startsOn(Placed, ({ orderId, total }) => ({ orderId, total }));

@Saga('pay')
class Pay {
  readonly definition = started.step('charge', (s) =>
    s
      .sends(({ orderId, total }) => new Charge({ orderId, cents: total }))
      .onReply(Charged, (state, { receipt }) => ({ ...state, receipt }))
      .failsOn(Declined, (_, { reason }) => reason),
  );
}

const log: string[] = [];
beforeEach(() => {
  log.length = 0;
});

@Injectable()
class Till {
  @Handles(Charge)
  charge({ orderId, cents }: Charge): Charged | Declined {
    log.push(`charge ${orderId} ${cents}`);
    return cents > 1000 ? new Declined({ reason: 'too much' }) : new Charged({ receipt: `r-${orderId}` });
  }

  @On(Placed, { group: 'mailer' })
  mail(event: Placed): void {
    log.push(`mail ${event instanceof Placed} ${event.currency}`);
  }

  @On(Weighed, { group: 'scales' })
  weighed(event: Weighed): void {
    log.push(`weighed ${event instanceof Weighed} ${event.orderId} ${event.grams} ${event.unit}`);
  }

  @On(Arrived)
  arrived({ total }: Arrived): void {
    log.push(`arrived ${total}`);
  }
}

/** What must not compile; nobody calls it. */
export function mistakes(): void {
  class Wrong {
    // @ts-expect-error -- a handler answers with the replies of its command
    @Handles(Charge)
    charge(): Placed {
      return new Placed({ orderId: 'a', total: 1 });
    }
    // @ts-expect-error -- the event has no such field
    @On(Placed)
    placed(_event: { customer: string }): void {}
  }
  void Wrong;
  // @ts-expect-error -- an event is not handled like a command
  Handles(Placed);
  // @ts-expect-error -- the command is not sent by this saga with an event
  started.step('charge', (s) => s.sends(({ orderId }) => new Placed({ orderId, total: 1 })));
  // @ts-expect-error -- the refusal is not handled
  started.step('charge', (s) => s.sends(() => new Charge({ orderId: 'a', cents: 1 })).onReply(Charged));
  // @ts-expect-error -- the target has another field
  translate(Placed, Charge, ({ orderId, total }) => ({ orderId, sum: total }));
}

async function start(feature: BrokerFeatureOptions = {}) {
  const store = await redisStore();
  const module = await Test.createTestingModule({
    imports: [
      BrokerModule.forRoot({ context: 'shop', partitions: 1, store }),
      BrokerModule.forFeature(feature),
      SagaModule.forFeature([Pay]),
    ],
    providers: [Till],
  }).compile();
  onTestFinished(() => module.close());
  await module.init();
  return { store, sagas: module.get(Sagas), publisher: module.get(Publisher), broker: module.get(Broker) };
}

describe('contracts by schemas', () => {
  it('are published, handled, answered, and move sagas', async () => {
    const { publisher, sagas } = await start();
    await publisher.publish(new Placed({ orderId: 'o-1', total: 990 }));
    await publisher.publish(new Placed({ orderId: 'o-2', total: 1990 }));
    await eventually(async () => {
      expect(await sagas.find<State>('pay', 'o-1')).toMatchObject({
        status: 'completed',
        state: { orderId: 'o-1', total: 990, receipt: 'r-o-1' },
      });
      expect(await sagas.find<State>('pay', 'o-2')).toMatchObject({ status: 'compensated' });
    });
    expect(log.sort()).toEqual(['charge o-1 990', 'charge o-2 1990', 'mail true EUR', 'mail true EUR']);
  });

  it('of arktype are published and handled, and dead-letter what breaks them', async () => {
    const { publisher, store } = await start();
    await publisher.publish(new Weighed({ orderId: 'o-1', grams: 12 }));
    await eventually(() => expect(log).toEqual(['weighed true o-1 12 g']));
    const bad = JSON.stringify({ id: 'bad', source: '/shop', type: 'shop.weighed', data: { orderId: '', grams: 0.5 } });
    const partition = { context: 'shop', index: 0 };
    await store.commit({ partition, guards: [], writes: [{ kind: 'append', events: [bad] }] });
    await eventually(async () => {
      const [letter] = await store.readDeadLetters(partition, 10);
      expect(letter).toMatchObject({ reason: 'invalid-data', group: 'shop.scales', attempts: 0 });
      for (const field of ['orderId must be', 'grams must be']) expect(letter!.error).toContain(field);
    });
    const spoilt = Object.assign(new Weighed({ orderId: 'o-1', grams: 1 }), { grams: -1 });
    await expect(publisher.publish(spoilt)).rejects.toThrow('shop.weighed: grams must be');
  });

  it('play in a scenario', () => {
    scenario(Pay)
      .given(new Placed({ orderId: 'o-1', total: 990 }))
      .expect(new Charge({ orderId: 'o-1', cents: 990 }))
      .reply(new Charged({ receipt: 'r' }))
      .ends('completed');
  });

  it('are translated from and to', async () => {
    const { publisher, broker } = await start({
      inbound: [translate(Placed, Arrived, ({ total }) => ({ total: total + 1 }))],
      outbound: [translate(Arrived, Placed, ({ total }) => new Placed({ orderId: 'o-3', total }))],
    });
    expect(broker.messages.encode(Object.assign(new Arrived(), { total: 3 }))).toMatchObject({
      envelope: { data: new Placed({ orderId: 'o-3', total: 3 }) },
    });
    await publisher.publish(new Placed({ orderId: 'o-1', total: 1 }));
    await eventually(() => expect(log).toEqual(['arrived 2']));
  });

  it('dead-letter what breaks them, naming each wrong field', async () => {
    const { store, publisher } = await start();
    const data = { total: -1, currency: 7 };
    const bad = JSON.stringify({ id: 'bad', source: '/shop', type: 'shop.placed', data });
    const partition = { context: 'shop', index: 0 };
    await store.commit({ partition, guards: [], writes: [{ kind: 'append', events: [bad] }] });
    await eventually(async () => {
      const letters = await store.readDeadLetters(partition, 10);
      expect(letters.map(({ group }) => group).sort()).toEqual(['shop.mailer', 'shop.saga.pay']);
      for (const letter of letters) {
        expect(letter).toMatchObject({ reason: 'invalid-data', attempts: 0 });
        for (const field of ['orderId: ', 'total: ', 'currency: ']) expect(letter.error).toContain(field);
      }
    });
    const spoilt = Object.assign(new Placed({ orderId: 'o-1', total: 1 }), { total: -1 });
    await expect(publisher.publish(spoilt)).rejects.toThrow('shop.placed: total: Too small');
  });
});
