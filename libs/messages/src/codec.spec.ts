import fc from 'fast-check';
import { decode, DEFAULT_LIMITS, encode } from './codec.js';
import { envelope, keyOf } from './envelope.js';
import type { Envelope } from './envelope.js';

const message = (data: unknown): Envelope => envelope({ source: '/order', type: 'order.placed', data });
const whole = (text: string): Envelope => decode(['event', text], '1-0');
const code = (expected: string) => expect.objectContaining({ code: expected });
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

describe('a message in one field', () => {
  it('comes back as it was written, whatever JSON its data are', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (data) => {
        // -0 is 0 in JSON.
        const plain: unknown = JSON.parse(JSON.stringify(data));
        const written = message(plain);
        fc.pre(!JSON.stringify(plain).includes('__proto__'));
        expect(whole(encode(written))).toEqual(written);
      }),
    );
  });

  it('is found among other fields', () => {
    expect(decode(['note', 'x', 'event', encode(message(1))], '1-0').data).toBe(1);
  });

  it.each([
    ['no JSON', '{"type":', 'not-json'],
    ['nothing', '', 'not-json'],
    ['a number', '7', 'malformed'],
    ['null', 'null', 'malformed'],
    ['an array', '[]', 'malformed'],
    ['no type', '{"id":"1","source":"/x","data":{}}', 'malformed'],
    ['an empty id', '{"id":"","source":"/x","type":"a.b","data":{}}', 'malformed'],
    ['a number for its source', '{"id":"1","source":7,"type":"a.b","data":{}}', 'malformed'],
    ['an object for its key', '{"id":"1","source":"/x","type":"a.b","partitionkey":{},"data":{}}', 'malformed'],
    ['a key __proto__', '{"id":"1","source":"/x","type":"a.b","data":{"__proto__":{"admin":true}}}', 'forbidden-key'],
    ['__proto__ in escapes', '{"id":"1","source":"/x","type":"a.b","data":{"\\u005f_proto__":{}}}', 'forbidden-key'],
    [
      'constructor.prototype',
      '{"id":"1","source":"/x","type":"a.b","data":{"constructor":{"prototype":{}}}}',
      'forbidden-key',
    ],
    ['too many levels', nested(DEFAULT_LIMITS.maxDepth + 1), 'too-deep'],
    ['a hundred thousand levels', nested(100_000), 'too-deep'],
    ['too many bytes', JSON.stringify('x'.repeat(DEFAULT_LIMITS.maxBytes)), 'too-large'],
  ])('is refused when it is %s', (_what, text, expected) => {
    expect(() => whole(text)).toThrow(code(expected));
  });

  it('may mention __proto__ in its texts', () => {
    expect(whole(encode(message({ text: '"__proto__":' }))).data).toEqual({ text: '"__proto__":' });
  });

  it('counts bytes, not characters', () => {
    const limits = { maxBytes: 300, maxDepth: 8 };
    expect(() => encode(message('x'.repeat(60)), limits)).not.toThrow();
    expect(() => encode(message('€'.repeat(60)), limits)).toThrow(code('too-large'));
  });

  it('counts levels outside of texts, up to the limit', () => {
    const limits = { maxBytes: 10_000, maxDepth: 3 };
    expect(() => encode(message([[1]]), limits)).not.toThrow();
    expect(() => encode(message([[[1]]]), limits)).toThrow(code('too-deep'));
    expect(() => encode(message('[[[[[{{{{{\\"[['), limits)).not.toThrow();
    expect(() => encode(message([[], [], [], [], []]), limits)).not.toThrow();
  });

  it('is not written when JSON cannot hold it', () => {
    const circle: { self?: object } = {};
    circle.self = circle;
    expect(() => encode(message(circle))).toThrow(code('not-json'));
    expect(() => encode(message({ amount: 1n }))).toThrow(code('not-json'));
  });
});

describe('a message written by hand', () => {
  it('needs two fields', () => {
    expect(decode(['type', 'catalog.reserve', 'data', '{"sku":"mug"}'], '1-0')).toEqual({
      specversion: '1.0',
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      source: '/by-hand',
      type: 'catalog.reserve',
      data: { sku: 'mug' },
    });
  });

  it('has the same id at every delivery, and another one than its neighbours', () => {
    const id = (entry: string): string => decode(['type', 'a.b', 'data', '1'], entry).id;
    expect(id('1-0')).toBe(id('1-0'));
    expect(id('1-1')).not.toBe(id('1-0'));
  });

  it('may carry attributes', () => {
    const fields = ['id', 'x', 'source', '/me', 'type', 'a.b', 'partitionkey', 'k', 'schemaversion', '2', 'data', '[]'];
    const read = decode(fields, '1-0');
    expect(read).toMatchObject({ id: 'x', source: '/me', schemaversion: 2, data: [] });
    expect(keyOf(read)).toBe('k');
  });

  it.each([
    ['no data', ['type', 'a.b'], 'malformed', 'found: type'],
    ['no type', ['data', '{}'], 'malformed', 'found: data'],
    ['other fields', ['foo', 'bar'], 'malformed', 'found: foo'],
    ['nothing', [], 'malformed', 'found: none'],
    ['an empty type', ['type', '', 'data', '{}'], 'malformed', `'type' is missing`],
    ['no JSON as data', ['type', 'a.b', 'data', 'hello'], 'not-json', 'a.b is no JSON'],
    ['empty data', ['type', 'a.b', 'data', ''], 'not-json', 'a.b is no JSON'],
    ['__proto__ in data', ['type', 'a.b', 'data', '{"__proto__":1}'], 'forbidden-key', '__proto__'],
  ])('is refused when it has %s', (_what, fields, expected, words) => {
    expect(() => decode(fields, '1-0')).toThrow(code(expected));
    expect(() => decode(fields, '1-0')).toThrow(words);
  });

  it('cannot reach a prototype by the name of a field', () => {
    const read = decode(['__proto__', 'x', 'type', 'a.b', 'data', '{}'], '1-0');
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
  });
});

describe('the order of a message', () => {
  it('is that of its key, else of its subject, else none', () => {
    const base = { source: '/x', type: 'a.b', data: {}, id: 'i' };
    expect(keyOf(envelope({ ...base, subject: 's', partitionkey: 'k' }))).toBe('k');
    expect(keyOf(envelope({ ...base, subject: 's' }))).toBe('s');
    expect(keyOf(envelope(base))).toBe('i');
  });
});
