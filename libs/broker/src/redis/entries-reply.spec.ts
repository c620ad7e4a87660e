import fc from 'fast-check';
import { EntriesReplyParser } from './entries-reply.js';
import type { EntriesReply } from './entries-reply.js';

describe('a reply of streams', () => {
  const text = fc.string({ unit: 'binary', maxLength: 40 });
  const fields = fc.oneof(
    fc.array(fc.oneof(text, fc.constant('event')), { maxLength: 6 }),
    fc.constant(null),
    fc.constant<string[]>(['event', 'x'.repeat(3_000)]),
  );
  const reply = fc.array(fc.tuple(text, fc.array(fc.tuple(text, fields), { maxLength: 8 })), {
    minLength: 1,
    maxLength: 4,
  });

  it('is read the same however it is cut into chunks, and what follows is left', () => {
    fc.assert(
      fc.property(
        reply,
        fc.string({ maxLength: 5 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 90 })),
        (sent, behind, cuts) => {
          const parser = new EntriesReplyParser();
          let bytes = Buffer.from(written(sent) + behind);
          const end = Buffer.byteLength(written(sent));
          let read = 0;
          for (const cut of cuts) {
            const size = cut < 40 ? cut : cut * 50;
            read += Math.min(size, bytes.length);
            const found = parser.feed(bytes.subarray(0, size));
            bytes = bytes.subarray(size);
            if (read < end && !found) continue;
            expect(read).toBeGreaterThanOrEqual(end);
            if (!found) throw new Error('the whole reply was not enough');
            expect(found.reply).toEqual(sent);
            expect(Buffer.concat([found.rest, bytes]).toString()).toBe(behind);
            return;
          }
        },
      ),
    );
  });

  it('is known by its beginning from an error, and from nothing', () => {
    const takes = (begin: string): boolean => EntriesReplyParser.takes(Buffer.from(begin));
    expect(takes('*1')).toBe(true);
    expect(['*-1\r\n', '$-1\r\n', '_\r\n', '-NOGROUP no such group\r\n', '+OK\r\n', '*'].some(takes)).toBe(false);
  });

  it('with anything but streams in it is an error', () => {
    expect(() => new EntriesReplyParser().feed(Buffer.from('*1\r\n:7\r\n'))).toThrow('RESP type 58');
  });
});

/** A deleted entry as the versions of Redis answer it. */
function written(reply: EntriesReply): string {
  const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
  const list = <T>(items: readonly T[], one: (item: T) => string): string =>
    `*${items.length}\r\n${items.map(one).join('')}`;
  return list(reply, ([key, entries]) => {
    const all = list(entries, ([id, fields]) => `*2\r\n${bulk(id)}${fields ? list(fields, bulk) : '*-1\r\n'}`);
    return `*2\r\n${bulk(key)}${all}`;
  });
}
