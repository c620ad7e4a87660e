import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Event } from '@millrace/messages';
import { upcast } from '@millrace/transforms';
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
