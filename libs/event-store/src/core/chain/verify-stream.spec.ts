import { Broker, InMemoryPartitionStore } from '@millrace/broker';
import type { StreamEntry } from '@millrace/broker';
import { Event } from '@millrace/messages';
import fc from 'fast-check';
import { EventStore } from '../event-store.js';
import type { ChainHead } from './stream-integrity.js';
import { verifyStream } from './verify-stream.js';
import type { VerifyOptions } from './verify-stream.js';

@Event('chain.noted')
class Noted {
  constructor(readonly text: string) {}
}

const partition = { context: 'chain', index: 0 };

/** The stored texts of a stream: some events without a chain, and then chained ones. */
async function chained(before: number, events: readonly string[]): Promise<readonly string[]> {
  const store = new InMemoryPartitionStore();
  const open = () => new Broker(store, { context: 'chain', partitions: 1 });
  const [plain, chain] = [new EventStore(open(), [Noted]), new EventStore(open(), [Noted], { chain: true })];
  for (const [i, text] of events.entries()) await (i < before ? plain : chain).append('s-1', [new Noted(text)]);
  const { entries } = await store.readStream(partition, 's-1');
  return entries.map(({ fields }) => fields[1]!);
}

/** A store whose stream has these texts; undefined: an event that is gone. */
function holding(texts: readonly (string | undefined)[]) {
  const entries = texts.flatMap((text, i): StreamEntry[] =>
    text === undefined
      ? []
      : [{ source: { partition, log: 'feed' }, id: `0-${i + 1}`, fields: ['event', text], version: i + 1 }],
  );
  return {
    readStream: async (_partition: unknown, _stream: string, { after = 0, limit = Infinity } = {}) => ({
      version: texts.length,
      entries: entries.filter(({ version }) => version > after && version <= after + limit),
    }),
  };
}

const verify = (texts: readonly (string | undefined)[], options?: VerifyOptions) =>
  verifyStream(holding(texts), partition, 's-1', options);

async function headOf(texts: readonly string[]): Promise<ChainHead> {
  const verified = await verify(texts);
  if (verified.status !== 'intact') throw new Error(verified.status);
  return verified.head;
}

/** One change of a stream, at a place between 0 and 1. */
type Change = (texts: (string | undefined)[], at: number, by: number, text: string) => void;

const CHANGES: Readonly<Record<string, Change>> = {
  'a character is another one': (texts, at, by, text) => edit(texts, at, by, (before, c) => [before, other(c, text)]),
  'a character is gone': (texts, at, by) => edit(texts, at, by, (before) => [before, '']),
  'a character is added': (texts, at, by, text) => edit(texts, at, by, (before, c) => [before + text[0]!, c]),
  'an event is another one': (texts, at, _by, text) => void (texts[at] = text),
  'an event is gone': (texts, at) => void (texts[at] = undefined),
  'an event has left its stream': (texts, at) => void texts.splice(at, 1),
  'an event has come': (texts, at, _by, text) => void texts.splice(at, 0, text),
  'an event stands there twice': (texts, at, by) => void texts.splice(at, 0, texts[Math.floor(by * texts.length)]),
  'two events have changed places': (texts, at, by) => {
    const place = Math.floor(by * texts.length);
    [texts[at], texts[place]] = [texts[place], texts[at]];
  },
  'all from here on are gone': (texts, at) => void texts.splice(at),
};

function edit(
  texts: (string | undefined)[],
  at: number,
  by: number,
  change: (before: string, character: string) => [string, string],
): void {
  const text = texts[at]!;
  const place = Math.floor(by * text.length);
  texts[at] = change(text.slice(0, place), text[place]!).join('') + text.slice(place + 1);
}

function other(character: string, text: string): string {
  return text[0] === character ? '~' : text[0]!;
}

const history = fc.array(fc.string({ unit: 'binary', maxLength: 20 }), { minLength: 1, maxLength: 8 });
const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('a chain', () => {
  it('is intact as it was appended', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.nat(3), async (events, before) => {
        const from = Math.min(before, events.length - 1);
        const texts = await chained(from, events);
        const { version } = await headOf(texts);
        expect(await verify(texts)).toMatchObject({ status: 'intact', from: from + 1, version });
      }),
    );
  });

  it.each(Object.entries(CHANGES))('shows that %s', async (_what, change) => {
    await fc.assert(
      fc.asyncProperty(
        history,
        fraction,
        fraction,
        fc.string({ unit: 'binary', minLength: 1 }),
        async (events, at, by, text) => {
          const texts = await chained(0, events);
          const head = await headOf(texts);
          const now: (string | undefined)[] = [...texts];
          change(now, Math.floor(at * texts.length), by, text);
          fc.pre(now.length !== texts.length || now.some((each, i) => each !== texts[i]));
          expect(await verify(now, { head })).toMatchObject({ status: 'broken' });
          // What no kept head tells: the newest events are gone, or none has a chain value.
          const isEnd = now.every((each, i) => each === texts[i]) || now.every((each) => !each?.includes('"chain":"'));
          if (!isEnd && now.length > 1) expect(await verify(now)).toMatchObject({ status: 'broken' });
        },
      ),
    );
  });

  it('shows events that have come or gone before it began', async () => {
    const texts = await chained(3, ['a', 'b', 'c', 'd', 'e']);
    expect(await verify(texts.slice(1))).toMatchObject({ status: 'broken', at: 3, reason: 'changed' });
    expect(await verify([texts[0]!, ...texts])).toMatchObject({ status: 'broken', at: 5, reason: 'changed' });
  });

  it('is followed over many pages', async () => {
    const texts = await chained(
      0,
      Array.from({ length: 1_203 }, (_, n) => `${n}`),
    );
    const pages: number[] = [];
    const verified = await verifyStream(holding(texts), partition, 's-1', {}, (events) => pages.push(events));
    expect(verified).toMatchObject({ status: 'intact', version: 1_203 });
    expect(pages.reduce((sum, events) => sum + events)).toBe(1_203);
    const gap = texts.map((text, i) => (i === 1_100 ? undefined : text));
    expect(await verify(gap)).toMatchObject({ status: 'broken', at: 1_101, reason: 'missing' });
    expect(await verify(gap, { from: 1_103 })).toMatchObject({ status: 'intact', from: 1_103 });
  });

  it('is of the events that there were when it was begun to be followed', async () => {
    const texts = await chained(0, ['a', 'b', 'c']);
    const store = holding(texts);
    let version = 2;
    const growing = {
      readStream: async (...args: Parameters<typeof store.readStream>) => ({
        ...(await store.readStream(...args)),
        version: version++,
      }),
    };
    expect(await verifyStream(growing, partition, 's-1')).toMatchObject({ status: 'intact', version: 2 });
  });

  it('says nothing of a stream without events', async () => {
    expect(await verify([])).toMatchObject({ status: 'unchained', version: 0 });
    const head = { version: 1, chain: 'x' };
    expect(await verify([], { head })).toMatchObject({ status: 'broken', reason: 'truncated', at: 1 });
  });

  it.each([
    [{ from: 0 }, 'from: 0 must be a version, 1 or more'],
    [{ from: 1.5 }, 'from: 1.5 must be a version'],
    [{ head: { version: 0, chain: 'x' } }, 'head: {"version":0,"chain":"x"} must be { version, chain }'],
    [{ head: 'x' as never }, 'head: "x" must be { version, chain }'],
  ])('is not followed with options that mean nothing: %j', async (options, message) => {
    await expect(verify([], options)).rejects.toThrow(message);
  });
});
