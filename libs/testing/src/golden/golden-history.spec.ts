import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Aggregate, AggregateRoot, Apply } from '@millrace/event-store';
import { Event } from '@millrace/messages';
import { renamed, retired, upcast } from '@millrace/transforms';
import { IsInt, IsString } from 'class-validator';
import { goldenHistory } from './golden-history.js';

@Event('shop.priced', { version: 3 })
class Priced {
  @IsInt() amount!: number;
  @IsString() currency!: string;
}

const first = upcast(Priced, { from: 1, to: 2 }, ({ cents }: { cents: number }) => ({ amount: cents }));
const second = upcast(Priced, { from: 2, to: 3 }, (v2: { amount: number }) => ({ ...v2, currency: 'EUR' }));
const stored = (version: number, data: object) => ({
  name: `shop.priced.v${version}.json`,
  text: JSON.stringify({
    specversion: '1.0',
    id: `${version}`,
    source: '/shop',
    type: 'shop.priced',
    ...(version > 1 ? { schemaversion: version } : {}),
    data,
  }),
});
const history = [stored(1, { cents: 5 }), stored(2, { amount: 6 }), stored(3, { amount: 7, currency: 'USD' })];

describe('a golden history', () => {
  it('brings every old message to what its class is today', () => {
    const replayed = goldenHistory(history).replay([first, second]);
    expect(replayed.map(({ from, data }) => [from, data])).toEqual([
      [1, { amount: 5, currency: 'EUR' }],
      [2, { amount: 6, currency: 'EUR' }],
      [3, { amount: 7, currency: 'USD' }],
    ]);
    expect(replayed[0]!.data).toBeInstanceOf(Priced);
  });

  it('is read from a folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'golden-'));
    for (const { name, text } of history) await writeFile(join(folder, name), text);
    await writeFile(join(folder, 'README.md'), 'not a message');
    expect(goldenHistory(folder).replay([first, second])).toHaveLength(3);
    await rm(folder, { recursive: true });
  });

  it('needs a message of every version', () => {
    const replaying = () => goldenHistory(history.slice(0, 1)).replay([first, second]);
    expect(replaying).toThrow('has no message shop.priced of version 2: store one as shop.priced.v2.json');
    expect(replaying).toThrow('of version 3');
    expect(() => goldenHistory([]).replay([], [Priced])).toThrow('has no message shop.priced of version 3');
  });

  it('does not hold when an upcast gives what the class does not allow', () => {
    const odd = upcast(Priced, { from: 2, to: 3 }, () => ({ amount: 1 }));
    expect(() => goldenHistory(history).replay([first, odd])).toThrow(
      /shop.priced.v1.json: shop.priced: currency must be a string/,
    );
  });

  it('does not hold when an upcast throws, the chain has a gap, or a file is no message', () => {
    const broken = upcast(Priced, { from: 2, to: 3 }, () => {
      throw new Error('no rate');
    });
    expect(() => goldenHistory(history).replay([first, broken])).toThrow(
      'shop.priced.v2.json: upcast shop.priced 2 -> 3 (step 2): no rate',
    );
    expect(() => goldenHistory(history).replay([first])).toThrow('shop.priced has no upcast from version 2');
    const garbage = { name: 'garbage.json', text: '{' };
    expect(() => goldenHistory([...history, garbage]).replay([first, second])).toThrow(
      'garbage.json: message is no JSON',
    );
  });
});

describe('a golden history of an aggregate', () => {
  @Aggregate('tag')
  class Tag extends AggregateRoot {
    prices: string[] = [];

    @Apply(Priced) protected priced({ amount, currency }: Priced): void {
      this.prices.push(`${amount} ${currency}`);
    }
  }
  const at = (time: string, version: number, data: object, type = 'shop.priced', subject = 'tag-a') => ({
    name: `${type}.v${version}.${time}.json`,
    text: JSON.stringify({
      ...{ specversion: '1.0', id: time, source: '/shop', type, subject, time: `2026-01-0${time}T00:00:00Z`, data },
      schemaversion: version,
    }),
  });
  const events = [
    at('3', 1, { cents: 5 }, 'shop.costs'),
    at('1', 3, { amount: 7, currency: 'USD' }),
    at('4', 1, {}, 'shop.printed'),
    at('2', 2, { amount: 6 }),
    at('5', 1, { cents: 1 }, 'shop.priced', 'tag-b'),
    at('6', 1, {}, 'shop.opened', 'shop-1'),
  ];
  const stored = [renamed('shop.costs', Priced), retired('shop.printed'), first, second];

  it('makes it what it is today, of events of every version and name, in the order of their time', () => {
    const tags = goldenHistory(events).fold(Tag, stored);
    expect([...tags.keys()]).toEqual(['a', 'b']);
    expect(tags.get('a')).toMatchObject({ id: 'a', version: 4, prices: ['7 USD', '6 EUR', '5 EUR'] });
    expect(tags.get('b')).toMatchObject({ id: 'b', version: 1, prices: ['1 EUR'] });
  });

  it('does not hold when it has an event that the aggregate does not know', () => {
    expect(() => goldenHistory(events).fold(Tag, [stored[0]!, first, second])).toThrow(
      'shop.printed.v1.4.json: shop.printed: Tag has no method that applies it: add @Apply',
    );
  });

  it('needs a message of every name and version that its events had', () => {
    expect(() => goldenHistory(events.slice(1)).fold(Tag, stored)).toThrow(
      'has no message shop.costs, which has another name today',
    );
    expect(() => goldenHistory(events.slice(2)).fold(Tag, stored)).toThrow('has no message shop.priced of version 3');
  });
});
