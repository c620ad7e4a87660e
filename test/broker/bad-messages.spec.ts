import { Command, DEFAULT_LIMITS, encode, envelope } from '@millrace/messages';
import { Subscriber, Subscriptions } from '@millrace/broker';
import { IsInt } from 'class-validator';
import { eventually, onTestFinished } from '../support/redis.js';
import { SITES } from '../support/site.js';

@Command('work.count', { version: 2 })
class Count {
  @IsInt() n!: number;
}

const whole = (data: unknown, more: object = {}): string[] => [
  'event',
  JSON.stringify({ ...envelope({ source: '/test', type: 'work.count', schemaversion: 2, data }), ...more }),
];

const CORPUS: [reason: string, fields: string[]][] = [
  ['not-json', ['event', '{"type":']],
  ['not-json', ['type', 'work.count', 'data', 'n=1']],
  ['not-json', ['type', 'work.count', 'data', '']],
  ['malformed', ['event', 'null']],
  ['malformed', ['event', '[]']],
  ['malformed', ['event', '{"type":"work.count"}']],
  ['malformed', ['hello', 'world']],
  ['malformed', ['type', 'work.count']],
  ['too-large', whole('x'.repeat(DEFAULT_LIMITS.maxBytes))],
  ['too-deep', ['type', 'work.count', 'data', '['.repeat(10_000)]],
  ['forbidden-key', ['type', 'work.count', 'data', '{"n":1,"__proto__":{"admin":true}}']],
  ['forbidden-key', whole({ n: 1 }, { constructor: { prototype: {} } })],
  ['unknown-type', ['type', 'work.unknown', 'data', '{}']],
  ['unknown-type', ['type', 'constructor', 'data', '{}']],
  ['unsupported-version', whole({ n: 1 }, { schemaversion: 1 })],
  ['unsupported-version', whole({ n: 1 }, { schemaversion: 3 })],
  ['unsupported-version', ['type', 'work.count', 'schemaversion', 'two', 'data', '{"n":1}']],
  ['invalid-data', ['type', 'work.count', 'data', '{"n":"1"}']],
  ['invalid-data', ['type', 'work.count', 'data', '{"m":1}']],
  ['invalid-data', ['type', 'work.count', 'data', 'null']],
  ['invalid-data', ['type', 'work.count', 'data', '[1]']],
  ['invalid-data', whole(undefined)],
];

describe.each(SITES)('messages in an inbox on %s', (_name, open) => {
  it('are dead-lettered each with its reason when nobody can read them, and the good ones between are handled', async () => {
    const site = await open();
    const counted: number[] = [];
    const subscriptions = new Subscriptions('work');
    subscriptions.add({
      name: 'Counter.count',
      type: 'work.count',
      contract: Count,
      context: 'work',
      log: 'in',
      handle: (data) => void counted.push((data as Count).n),
    });
    const subscriber = new Subscriber(site.broker, subscriptions, { blockMs: 50 });
    onTestFinished(() => subscriber.stop());
    await subscriber.start();
    for (const [n, [, fields]] of CORPUS.entries()) {
      await site.write(fields);
      await site.say('work.count', { n });
    }
    await eventually(async () => expect(await site.open()).toBe(0));
    expect([...counted].sort((a, b) => a - b)).toEqual(CORPUS.map((_, n) => n));
    const letters = await site.deadLetters();
    const found = letters.map(({ reason, fields }) => JSON.stringify([reason, fields]));
    expect(found.sort()).toEqual(CORPUS.map((each) => JSON.stringify(each)).sort());
    for (const letter of letters) {
      expect(letter).toMatchObject({ group: 'work', attempts: 0, error: expect.stringMatching(/\w/) });
      expect(letter.error.length).toBeLessThan(400);
      expect(letter.entry).toEqual({ source: site.inbox(), id: expect.stringMatching(/^\d+-\d+$/) });
    }
  });

  it('may be written by hand with two fields, whatever version the contract has', async () => {
    const site = await open();
    const seen: object[] = [];
    await site.start({
      'work.note': (data, { envelope: { id, source }, attempt }) => void seen.push({ data, id, source, attempt }),
    });
    await site.write(['type', 'work.note', 'data', '{"text":"hello"}']);
    await site.write(encodeNote());
    await eventually(() => expect(seen).toHaveLength(2));
    expect(seen).toContainEqual({ data: { text: 'hello' }, id: expect.any(String), source: '/by-hand', attempt: 1 });
    expect(seen).toContainEqual({ data: { text: 'whole' }, id: 'n-1', source: '/test', attempt: 1 });
    await eventually(async () => expect(await site.open()).toBe(0));
    expect(await site.deadLetters()).toEqual([]);
  });
});

function encodeNote(): string[] {
  return ['event', encode(envelope({ id: 'n-1', source: '/test', type: 'work.note', data: { text: 'whole' } }))];
}
