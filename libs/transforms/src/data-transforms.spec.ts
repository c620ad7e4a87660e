import { envelope, Event, MessageError } from '@millrace/messages';
import type { Envelope } from '@millrace/messages';
import { IsArray, IsInt, IsOptional, IsString } from 'class-validator';
import fc from 'fast-check';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { claimCheck, restoreClaims } from './claim-check.js';
import type { ClaimStore } from './claims/claim-store.js';
import { FileClaimStore } from './claims/file-claim-store.js';
import { InMemoryClaimStore } from './claims/in-memory-claim-store.js';
import { compress, decompressed } from './compress.js';
import { enrich } from './enrich.js';
import { normalize } from './normalize.js';
import { pipeline } from './pipeline.js';
import { redact } from './redact.js';
import { takes } from './transform.js';
import type { WaitTransform } from './transform.js';

@Event('shop.placed', { key: 'id' })
class Placed {
  @IsString() id!: string;
  @IsOptional() @IsString() note?: string;
  @IsArray() lines!: readonly { sku: string; cents: number; gift?: { text: string } }[];
}

@Event('shop.priced', { key: 'id' })
class Priced {
  @IsString() id!: string;
  @IsInt() total!: number;
}

const message = (data: unknown, type = 'shop.placed'): Envelope => envelope({ source: '/shop', type, data });
const onTheWire = (sent: Envelope): Envelope => JSON.parse(JSON.stringify(sent)) as Envelope;
/** As a pipeline applies it. */
const through = async (transform: WaitTransform, sent: Envelope): Promise<Envelope> =>
  takes(transform, sent) ? transform.apply(sent) : sent;
const lines = [
  { sku: 'pen', cents: 5, gift: { text: 'for you' } },
  { sku: 'ink', cents: 9 },
];

describe('redact', () => {
  const placed = Object.assign(new Placed(), { id: 'o', note: 'ring twice', lines });

  it('blanks texts and leaves out the rest, also in the items of arrays, and keeps the original', () => {
    const shown = redact(Placed, 'id', 'note', 'lines.gift', 'lines.sku').apply(message(placed));
    expect(shown.data).toEqual({
      id: '[redacted]',
      note: '[redacted]',
      lines: [
        { sku: '[redacted]', cents: 5 },
        { sku: '[redacted]', cents: 9 },
      ],
    });
    expect(shown.data).toBeInstanceOf(Placed);
    expect(placed.lines[0]!.gift).toEqual({ text: 'for you' });
  });

  it('puts what masks say, and nothing where nothing is', () => {
    const masked = redact(Placed, { 'lines.cents': (cents) => cents * 0, 'lines.gift.text': 'x', note: '' });
    expect(masked.apply(message({ id: 'o', lines })).data).toEqual({
      id: 'o',
      lines: [
        { sku: 'pen', cents: 0, gift: { text: 'x' } },
        { sku: 'ink', cents: 0 },
      ],
    });
  });
});

describe('enrich', () => {
  it('adds to what is there, and gives the target its key', async () => {
    const priced = enrich(Placed, Priced, ({ lines: all }) => ({
      total: all.reduce((sum, { cents }) => sum + cents, 0),
    }));
    expect(await priced.apply(message({ id: 'o', lines }))).toMatchObject({
      type: 'shop.priced',
      partitionkey: 'o',
      data: { id: 'o', total: 14 },
    });
  });

  it('refuses what its target does not allow', async () => {
    const odd = enrich(Placed, Priced, () => ({ total: 1.5 }));
    await expect(odd.apply(message({ id: 'o', lines }))).rejects.toThrow('total must be an integer');
  });
});

describe('normalize', () => {
  const isErp = (data: unknown): data is { ORDNR: number } => typeof (data as { ORDNR?: unknown }).ORDNR === 'number';
  const isOld = (data: unknown): data is { nr: string } => typeof (data as { nr?: unknown }).nr === 'string';
  const normalized = normalize(Priced)
    .accepts(Placed, ({ id }) => ({ id, total: 0 }))
    .accepts('erp.ordr', isErp, ({ ORDNR }) => ({ id: `${ORDNR}`, total: 1 }))
    .accepts('erp.ordr', isOld, ({ nr }) => ({ id: nr, total: 2 }));

  it('makes every accepted shape the same', () => {
    const run = pipeline([normalized]);
    expect(run(message({ id: 'a', lines: [] })).data).toEqual({ id: 'a', total: 0 });
    expect(run(message({ ORDNR: 7 }, 'erp.ordr')).data).toEqual({ id: '7', total: 1 });
    expect(run(message({ nr: 'x' }, 'erp.ordr')).data).toEqual({ id: 'x', total: 2 });
    expect(normalized).toMatchObject({ from: ['shop.placed', 'erp.ordr'], to: ['shop.priced'] });
  });

  it('refuses a shape that it does not know', () => {
    expect(() => pipeline([normalized])(message({ other: 1 }, 'erp.ordr'))).toThrow(
      /normalize shop.placed, erp.ordr -> shop.priced \(step 1\): erp.ordr .* has none of the shapes/,
    );
  });
});

describe('compress', () => {
  const sendable = fc.jsonValue({ maxDepth: 5 }).filter((data) => !/__proto__|constructor/.test(JSON.stringify(data)));
  const big = { text: 'socks '.repeat(1_000) };

  it.each(['gzip', 'br'] as const)('gives back what went in, with %s', (encoding) => {
    fc.assert(
      fc.property(sendable, fc.nat(200), (data, overBytes) => {
        const sent = message({ data, big });
        const { dataencoding, ...rest } = decompressed(onTheWire(compress({ overBytes, encoding }).apply(sent)));
        expect(dataencoding).toBeUndefined();
        expect(rest).toEqual(onTheWire(sent));
      }),
    );
  });

  it('leaves alone what is small, and what would not become smaller', () => {
    const small = message({ text: 'socks' });
    expect(compress().apply(small)).toBe(small);
    const noise = message({ text: 'q8x!kT02' });
    expect(compress({ overBytes: 1 }).apply(noise)).toBe(noise);
    expect(decompressed(small)).toBe(small);
  });

  it('says what it did in the message itself', () => {
    const sent = compress({ encoding: 'br' }).apply(message(big));
    expect(sent).toMatchObject({ type: 'shop.placed', dataencoding: 'br', data: undefined });
    expect(JSON.stringify(sent).length).toBeLessThan(500);
  });

  it('is not undone past the limits, or where it is broken', () => {
    const sent = onTheWire(compress().apply(message(big)));
    const refused = (changes: Partial<Envelope>, limits = {}) => {
      try {
        decompressed({ ...sent, ...changes }, { maxBytes: 100, maxDepth: 8, ...limits });
      } catch (error) {
        return (error as MessageError).code;
      }
      return 'read';
    };
    expect(refused({})).toBe('read');
    expect(refused({}, { maxRestoredBytes: 100 })).toBe('too-large');
    expect(refused({ data_base64: 'AAAA' })).toBe('malformed');
    expect(refused({ dataencoding: 'zip' })).toBe('malformed');
    expect(refused({ dataencoding: 'constructor' })).toBe('malformed');
    const forged = (text: string) => gzipSync(text).toString('base64');
    expect(refused({ data_base64: forged('{"__proto__":{}}') })).toBe('forbidden-key');
    expect(refused({ data_base64: forged('['.repeat(9)) })).toBe('too-deep');
    expect(refused({ data_base64: forged('{') })).toBe('not-json');
  });
});

describe('claim check', () => {
  let now = 1_000;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'claims-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const stores: [string, () => ClaimStore][] = [
    ['memory', () => new InMemoryClaimStore(() => now)],
    ['files', () => new FileClaimStore(folder, () => now)],
  ];

  describe.each(stores)('in %s', (_name, open) => {
    it('gives back what went in, compressed or not', async () => {
      const store = open();
      await fc.assert(
        fc.asyncProperty(fc.jsonValue({ maxDepth: 5 }), fc.boolean(), fc.nat(100), async (data, small, overBytes) => {
          const sent = message({ data });
          const packed = small ? compress({ overBytes: 1 }).apply(sent) : sent;
          const checked = await through(claimCheck(store, { overBytes }), packed);
          const restored = await through(restoreClaims(store), onTheWire(checked));
          expect(onTheWire(decompressed(restored))).toEqual(onTheWire(sent));
        }),
        { numRuns: 30 },
      );
    });

    it('keeps a claim for its time, and refuses it afterwards with a reason', async () => {
      const store = open();
      const checked = onTheWire(
        await claimCheck(store, { overBytes: 1, ttlMs: 500 }).apply(message({ text: 'large' })),
      );
      expect(checked).not.toHaveProperty('data');
      expect(checked.dataref).toBe(`claim:/shop/${checked.id}`);
      now += 499;
      expect((await restoreClaims(store).apply(checked)).data).toEqual({ text: 'large' });
      now += 1;
      await expect(restoreClaims(store).apply(checked)).rejects.toMatchObject({
        code: 'claim-missing',
        message: expect.stringContaining('has expired, or was put elsewhere'),
      });
    });
  });

  it('forgets files that have expired', async () => {
    const own = await mkdtemp(join(tmpdir(), 'claims-'));
    const store = new FileClaimStore(own, () => now);
    await store.put('../odd/../id', 'a', 100);
    await store.put('later', 'b', 200_000);
    now += 100_000;
    await store.put('new', 'c', 1_000);
    expect(await readdir(own)).toHaveLength(2);
    expect(await store.get('later')).toBe('b');
    await rm(own, { recursive: true });
  });

  it('leaves a message alone that is small, or has nothing to claim', () => {
    const plain = message({ a: 1 });
    expect(takes(claimCheck(new InMemoryClaimStore()), plain)).toBe(false);
    expect(takes(restoreClaims(new InMemoryClaimStore()), plain)).toBe(false);
    const elsewhere = { ...plain, dataref: 'https://example.com/data' };
    expect(takes(restoreClaims(new InMemoryClaimStore()), elsewhere)).toBe(false);
  });
});
