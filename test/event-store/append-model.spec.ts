import { randomUUID } from 'node:crypto';
import { Broker, InMemoryPartitionStore, RedisPartitionStore } from '@millrace/broker';
import type { PartitionStore } from '@millrace/broker';
import { EventStore } from '@millrace/event-store';
import type { AppendOptions, RecordedEvent } from '@millrace/event-store';
import { Event } from '@millrace/messages';
import fc from 'fast-check';
import { freshNamespace, onTestFinished, redisUrl } from '../support/redis.js';
import { TcpProxy } from '../support/tcp-proxy.js';

@Event('model.happened')
class Happened {
  constructor(readonly n: string) {}
}

interface Kept {
  readonly id: string;
  readonly stream: string;
  readonly tags: readonly string[];
}

/** What an event store does, as an array. */
class Model {
  readonly events: Kept[] = [];

  of(stream: string): readonly Kept[] {
    return this.events.filter((event) => event.stream === stream);
  }

  append(stream: string, ids: readonly string[], tags: readonly string[]) {
    const first = this.events.length + 1;
    this.events.push(...ids.map((id) => ({ id, stream, tags })));
    return { status: 'appended', version: this.of(stream).length, first, position: this.events.length };
  }
}

interface Real {
  readonly events: EventStore;
  /** Loses the reply to the next command that holds this text; undefined where no reply can be lost. */
  readonly lose: ((text: string) => Promise<void>) | undefined;
  readonly seen: Set<string>;
}

type Step = fc.AsyncCommand<Model, Real>;

async function ids(reading: AsyncIterable<RecordedEvent>): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { id } of reading) found.push(id);
  return found;
}

class Append implements Step {
  constructor(
    private readonly stream: string,
    private readonly count: number,
    private readonly expected: AppendOptions['expected'] | 'right',
    private readonly tags: readonly string[],
    private readonly lost: boolean,
    private readonly again: boolean,
  ) {}

  check(): boolean {
    return true;
  }

  async run(model: Model, { events, lose, seen }: Real): Promise<void> {
    const { stream, tags } = this;
    const own = Array.from({ length: this.count }, () => randomUUID());
    const actual = model.of(stream).length;
    const expected = this.expected === 'right' ? actual : this.expected!;
    const holds =
      expected === 'any' || (expected === 'none' ? !actual : expected === 'exists' ? actual > 0 : actual === expected);
    const append = () =>
      events.append(
        stream,
        own.map((n) => new Happened(n)),
        { expected, tags, ids: own },
      );
    const lost = this.lost && holds ? lose?.(own[0]!) : undefined;
    const predicted = holds ? model.append(stream, own, tags) : { status: 'conflict', expected, actual };
    expect(await append()).toEqual(predicted);
    await lost;
    seen.add(lost ? 'lost' : predicted.status);
    if (!this.again) return;
    expect(await append()).toEqual(predicted);
  }

  toString(): string {
    return `append(${this.stream}, ${this.count}, ${String(this.expected)}${this.lost ? ', lost' : ''})`;
  }
}

class AppendIf implements Step {
  constructor(
    private readonly tag: string,
    private readonly behind: number,
    private readonly lost: boolean,
  ) {}

  check(): boolean {
    return true;
  }

  async run(model: Model, { events, lose, seen }: Real): Promise<void> {
    const { tag } = this;
    const after = Math.max(0, model.events.length - this.behind);
    const newest = model.events.findLastIndex(({ tags }) => tags.includes(tag)) + 1;
    const own = randomUUID();
    const append = () =>
      events.appendIf(
        [new Happened(own)],
        { query: [{ tags: [tag] }], after },
        { stream: 's-3', tags: [tag], ids: [own] },
      );
    const lost = this.lost && newest <= after ? lose?.(own) : undefined;
    const predicted = newest <= after ? model.append('s-3', [own], [tag]) : { status: 'conflict', position: newest };
    for (const _time of [1, 2]) expect(await append()).toEqual(predicted);
    await lost;
    seen.add(`if ${predicted.status}`);
  }

  toString(): string {
    return `appendIf(${this.tag}, ${this.behind})`;
  }
}

class Read implements Step {
  constructor(
    private readonly stream: string,
    private readonly tag: string,
    private readonly backwards: boolean,
    private readonly from: number,
    private readonly pageSize: number,
  ) {}

  check(): boolean {
    return true;
  }

  async run(model: Model, { events }: Real): Promise<void> {
    const { backwards, from, pageSize } = this;
    const options = { backwards, from, pageSize };
    const turned = (kept: readonly Kept[], wanted: (kept: Kept) => boolean) => {
      const positions = kept.map((each, i) => ({ each, n: i + 1 }));
      const found = positions.filter(({ each, n }) => wanted(each) && (backwards ? n <= from : n >= from));
      return (backwards ? found.toReversed() : found).map(({ each }) => each.id);
    };
    expect(await ids(events.read(this.stream, options))).toEqual(turned(model.of(this.stream), () => true));
    expect(await ids(events.readAll(options))).toEqual(turned(model.events, () => true));
    expect(await ids(events.readCategory('s', options))).toEqual(turned(model.events, () => true));
    const tagged = turned(model.events, ({ tags }) => tags.includes(this.tag));
    expect(await ids(events.readTagged(this.tag, options))).toEqual(tagged);
  }

  toString(): string {
    return `read(${this.stream}, ${this.tag}, ${this.backwards ? 'backwards from' : 'from'} ${this.from})`;
  }
}

const stream = fc.constantFrom('s-1', 's-2', 's-3');
const tag = fc.constantFrom('red', 'big');
const expected = fc.constantFrom(
  'right' as const,
  'right' as const,
  'any' as const,
  'none' as const,
  'exists' as const,
  1,
);
const steps = (lost: fc.Arbitrary<boolean>) => [
  fc
    .tuple(stream, fc.integer({ min: 1, max: 4 }), expected, fc.uniqueArray(tag), lost, fc.boolean())
    .map((values): Step => new Append(...values)),
  fc.tuple(tag, fc.nat(4), lost).map((values): Step => new AppendIf(...values)),
  fc
    .tuple(stream, tag, fc.boolean(), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 4 }))
    .map((values): Step => new Read(...values)),
];

async function behaves(
  store: PartitionStore,
  lose: Real['lose'],
  numRuns: number,
  chained = false,
): Promise<Set<string>> {
  const seen = new Set<string>();
  const lost = lose ? fc.integer({ min: 0, max: 9 }).map((n) => n === 0) : fc.constant(false);
  const play = async (commands: Iterable<Step>): Promise<void> => {
    const broker = new Broker(store, { context: `m${randomUUID()}`, partitions: 1 });
    const events = new EventStore(broker, [Happened], chained ? { chain: true } : {});
    await fc.asyncModelRun(() => ({ model: new Model(), real: { events, lose, seen } }), commands);
    if (!chained) return;
    for await (const { status } of events.verifyAll()) expect(status).toBe('intact');
  };
  await fc.assert(fc.asyncProperty(fc.commands(steps(lost), { maxCommands: 20 }), play), { numRuns });
  // Chance may leave replies alone.
  if (lose) await play([new Append('s-1', 2, 'right', [], true, true), new AppendIf('red', 0, true)]);
  return seen;
}

const OUTCOMES = ['appended', 'conflict', 'if appended', 'if conflict'];

describe('any history of appends and reads is that of an array', () => {
  it.each([false, true])(
    'in memory, chained: %s',
    async (chained) => {
      const seen = await behaves(new InMemoryPartitionStore(), undefined, 200, chained);
      expect([...seen].toSorted()).toEqual(OUTCOMES);
    },
    60_000,
  );

  it.each([false, true])(
    'in Redis, where replies are lost and appends repeated, chained: %s',
    async (chained) => {
      const proxy = await TcpProxy.open(redisUrl());
      const store = await RedisPartitionStore.connect({ url: proxy.url, namespace: freshNamespace() });
      onTestFinished(() => store.close());
      const seen = await behaves(store, (text) => proxy.loseReplyTo(text), 60, chained);
      expect([...seen].toSorted()).toEqual([...OUTCOMES, 'lost']);
    },
    60_000,
  );
});
