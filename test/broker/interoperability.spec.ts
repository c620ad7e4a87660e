import { spawnSync } from 'node:child_process';
import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { BrokerModule, Handles, On, Publisher } from '@millrace/broker';
import type { MessageContext } from '@millrace/broker';
import { Command, Event, Reply } from '@millrace/messages';
import { CloudEvent, HTTP } from 'cloudevents';
import { IsString } from 'class-validator';
import { Redis } from 'ioredis';
import { eventually, freshNamespace, onTestFinished, redisUrl } from '../support/redis.js';

@Reply('desk.answered')
class Answered {
  @IsString() text!: string;
}

@Command('desk.ask', { key: 'who' })
class Ask extends Command<Answered> {
  @IsString() who!: string;
}

@Event('desk.asked', { key: 'who', version: 2 })
class Asked {
  @IsString() who!: string;
}

const log: string[] = [];
const received: MessageContext[] = [];

@Injectable()
class Clerk {
  constructor(private readonly publisher: Publisher) {}

  @Handles(Ask) async ask({ who }: Ask, context: MessageContext): Promise<Answered> {
    log.push(`ask ${who}`);
    received.push(context);
    await this.publisher.publish(Object.assign(new Asked(), { who }));
    return Object.assign(new Answered(), { text: who });
  }

  @On(Asked, { group: 'mailer' }) asked({ who }: Asked): void {
    log.push(`asked ${who}`);
  }
}

async function start() {
  log.length = received.length = 0;
  const namespace = freshNamespace();
  @Module({
    imports: [
      BrokerModule.forRoot({ context: 'desk', partitions: 1, namespace, redis: { url: redisUrl() }, blockMs: 100 }),
    ],
    providers: [Clerk],
  })
  class Desk {}
  const module = await Test.createTestingModule({ imports: [Desk] }).compile();
  const redis = new Redis(redisUrl());
  onTestFinished(async () => {
    await module.close();
    redis.disconnect();
  });
  await module.init();
  const [inbox, feed, dead] = ['in', 'feed', 'dead'].map((key) => `{${namespace}:desk:0}:${key}`);
  return { redis, publisher: module.get(Publisher), inbox: inbox!, feed: feed!, dead: dead! };
}

describe('a plain redis-cli', () => {
  const cli = (...words: string[]): string => {
    const { stdout, stderr, status } = spawnSync('redis-cli', ['-u', redisUrl(), ...words], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return stdout.trim();
  };

  it('sends a command, and reads the event that came of it', async () => {
    const { inbox, feed } = await start();
    const id = cli('XADD', inbox, '*', 'type', 'desk.ask', 'data', '{"who":"by hand"}');
    expect(id).toMatch(/^\d{13}-\d+$/);
    await eventually(() => expect(log).toEqual(['ask by hand', 'asked by hand']));
    const [entry, name, text] = cli('XREVRANGE', feed, '+', '-', 'COUNT', '1').split('\n');
    expect([entry, name]).toEqual(['0-1', 'event']);
    expect(JSON.parse(text!)).toMatchObject({
      specversion: '1.0',
      source: '/desk',
      type: 'desk.asked',
      partitionkey: 'by hand',
      schemaversion: 2,
      data: { who: 'by hand' },
    });
  });

  it('publishes an event, with the next id of the feed', async () => {
    const { feed, publisher } = await start();
    const data = ['type', 'desk.asked', 'data', '{"who":"by hand"}'];
    expect(cli('XADD', feed, '0-*', ...data)).toBe('0-1');
    await publisher.publish(Object.assign(new Asked(), { who: 'by code' }));
    expect(cli('XADD', feed, '0-*', ...data)).toBe('0-3');
    await eventually(() => expect([...log].sort()).toEqual(['asked by code', 'asked by hand', 'asked by hand']));
  });

  it('finds out why a message was refused', async () => {
    const { inbox, dead } = await start();
    cli('XADD', inbox, '*', 'type', 'desk.ask', 'data', '{"who":7}');
    await eventually(() => expect(cli('XLEN', dead)).toBe('1'));
    const lines = cli('XRANGE', dead, '-', '+').split('\n');
    expect(lines.slice(1, 5)).toEqual(['reason', 'invalid-data', 'error', 'desk.ask: who must be a string']);
  });
});

describe('the CloudEvents SDK', () => {
  it('reads what is written, strictly and as structured HTTP', async () => {
    const { redis, feed, inbox, publisher } = await start();
    await publisher.send(Object.assign(new Ask(), { who: 'a' }), { id: 'ask-1' });
    await eventually(() => expect(log).toEqual(['ask a', 'asked a']));
    const [[, [, text]]] = (await redis.xrange(feed, '-', '+')) as [[string, [string, string]]];
    const event = new CloudEvent(JSON.parse(text) as object, true);
    expect(event.validate()).toBe(true);
    expect(event).toMatchObject({
      type: 'desk.asked',
      source: '/desk',
      causationid: 'ask-1',
      correlationid: 'ask-1',
      schemaversion: 2,
      data: { who: 'a' },
    });
    const body = { headers: { 'content-type': 'application/cloudevents+json' }, body: text };
    expect(HTTP.toEvent(body)).toEqual(event);
    expect(await redis.exists(inbox)).toBe(1);
  });

  it('writes what is read, as JSON or as attributes', async () => {
    const { redis, inbox } = await start();
    const event = (id: string, who: string) =>
      new CloudEvent({ id, type: 'desk.ask', source: 'https://example.org/hall', partitionkey: who, data: { who } });
    const { body } = HTTP.structured(event('one', 'structured')) as { body: string };
    await redis.xadd(inbox, '*', 'event', body);
    const { data, ...attributes } = event('two', 'binary').toJSON();
    await redis.xadd(inbox, '*', ...(Object.entries(attributes).flat() as string[]), 'data', JSON.stringify(data));
    await eventually(() => expect([...log].sort().slice(0, 2)).toEqual(['ask binary', 'ask structured']));
    expect(received.map(({ envelope }) => [envelope.id, envelope.source, envelope.partitionkey]).sort()).toEqual([
      ['one', 'https://example.org/hall', 'structured'],
      ['two', 'https://example.org/hall', 'binary'],
    ]);
  });
});

describe('a consumer group of another client', () => {
  it('disturbs nothing, and nothing disturbs it: its pending entries, its consumers, its end', async () => {
    const { redis, feed, publisher } = await start();
    await redis.xgroup('CREATE', feed, 'theirs', '0');
    await publisher.publish(Object.assign(new Asked(), { who: 'a' }));
    await redis.xreadgroup('GROUP', 'theirs', 'reader', 'COUNT', 10, 'STREAMS', feed, '>');
    await redis.xgroup('CREATECONSUMER', feed, 'theirs', 'idle');
    for (const who of ['b', 'c']) await publisher.publish(Object.assign(new Asked(), { who }));
    await eventually(() => expect(log).toEqual(['asked a', 'asked b', 'asked c']));
    await redis.xreadgroup('GROUP', 'theirs', 'reader', 'COUNT', 1, 'STREAMS', feed, '>');
    // Theirs are as they left them.
    const pending = (await redis.xpending(feed, 'theirs', '-', '+', 10)) as [string, string, number, number][];
    expect(pending.map(([id, consumer, , deliveries]) => [id, consumer, deliveries])).toEqual([
      ['0-1', 'reader', 1],
      ['0-2', 'reader', 1],
    ]);
    const consumers = (await redis.xinfo('CONSUMERS', feed, 'theirs')) as string[][];
    expect(consumers.map(([, name]) => name).sort()).toEqual(['idle', 'reader']);
    // Ours are done with.
    await eventually(async () => expect(await redis.xpending(feed, 'desk.mailer')).toEqual([0, null, null, null]));
    await redis.xgroup('DESTROY', feed, 'theirs');
    await publisher.publish(Object.assign(new Asked(), { who: 'd' }));
    await eventually(() => expect(log.at(-1)).toBe('asked d'));
    expect(log).toHaveLength(4);
  });

  it('may read the inbox as well, and never acknowledge', async () => {
    const { redis, inbox, publisher } = await start();
    await redis.xgroup('CREATE', inbox, 'theirs', '0');
    for (const who of ['a', 'b']) {
      await publisher.send(Object.assign(new Ask(), { who }), { key: 'same' });
      await redis.xreadgroup('GROUP', 'theirs', 'reader', 'COUNT', 10, 'STREAMS', inbox, '>');
    }
    await eventually(() => expect([...log].sort()).toEqual(['ask a', 'ask b', 'asked a', 'asked b']));
    await eventually(async () => expect(await redis.xpending(inbox, 'desk')).toEqual([0, null, null, null]));
    expect(await redis.xpending(inbox, 'theirs')).toMatchObject({ 0: expect.any(Number) as number });
  });
});
