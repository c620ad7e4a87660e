import { Command, envelope, Event } from '@millrace/messages';
import type { Envelope } from '@millrace/messages';
import { IsInt, IsString } from 'class-validator';
import fc from 'fast-check';
import { aggregate } from './aggregate.js';
import { filter } from './filter.js';
import { Halted, Pipeline } from './pipeline.js';
import { entryTypes, exitTypes, kindIn } from './reach.js';
import { recipientList, route } from './route.js';
import { nextStop, routingSlip } from './routing-slip.js';
import { split } from './split.js';
import type { Gathered, GatherTransform, Passage, Transform } from './transform.js';
import { translate } from './translate.js';
import { wireTap } from './wire-tap.js';

@Event('shop.counted', { key: 'id' })
class Counted {
  @IsString() id!: string;
  @IsInt() count!: number;
}

@Event('shop.summed', { key: 'id' })
class Summed {
  @IsString() id!: string;
  @IsInt() count!: number;
}

@Command('depot.order', { key: 'id' })
class Order extends Command<object> {
  @IsString() id!: string;
}

const counted = (count: number, more: Partial<Envelope> = {}): Envelope =>
  envelope({ id: 'm', source: '/shop', type: 'shop.counted', data: { id: 'a', count }, ...more });

/** Aggregates in memory: what the broker does with the state. */
async function run(transforms: readonly Transform[], ...messages: Envelope[]): Promise<Passage[]> {
  const pipeline = new Pipeline(transforms);
  const states = new Map<string, Gathered>();
  const gather = (transform: GatherTransform, message: Envelope) => {
    const correlation = transform.correlate(message);
    const gathered = transform.add(states.get(correlation), message);
    if (!transform.isComplete(gathered)) {
      states.set(correlation, gathered);
      return Promise.resolve(undefined);
    }
    states.delete(correlation);
    return Promise.resolve(transform.combine(gathered, 'complete'));
  };
  const results: Passage[] = [];
  for (const message of messages) {
    const begun = pipeline.begin(message);
    if (begun instanceof Halted) results.push(...(await pipeline.finish(begun, gather)));
    else results.push({ message: begun });
  }
  return results;
}

const numbers = (passages: readonly Passage[]) => passages.map(({ message }) => (message.data as Counted).count);
const double = translate(Counted, Counted, ({ id, count }) => ({ id, count: count * 2 }));
const two = split(Counted, Counted, ({ id, count }) => [
  { id, count },
  { id, count: count + 1 },
]);
const even = filter(Counted, ({ count }) => count % 2 === 0);

describe('a pipeline', () => {
  it('applies transforms in their declared order, each to all that the former gave', async () => {
    expect(numbers(await run([two, double, even], counted(3)))).toEqual([6, 8]);
    expect(numbers(await run([even, two, double], counted(3)))).toEqual([]);
    expect(numbers(await run([double, two, even], counted(3)))).toEqual([6]);
  });

  it('is its halves one after the other, wherever it is cut', async () => {
    const steps: Record<string, { transform: Transform; model: (n: number) => number[] }> = {
      double: { transform: double, model: (n) => [n * 2] },
      two: { transform: two, model: (n) => [n, n + 1] },
      even: { transform: even, model: (n) => (n % 2 === 0 ? [n] : []) },
    };
    const chain = fc.array(fc.constantFrom(...Object.keys(steps)), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(chain, fc.nat(100), async (names, start) => {
        const transforms = names.map((name) => steps[name]!.transform);
        const expected = names.reduce((all, name) => all.flatMap(steps[name]!.model), [start]);
        expect(numbers(await run(transforms, counted(start)))).toEqual(expected);
      }),
    );
  });

  it('hands back a message that no transform takes, itself', () => {
    const other = counted(1, { type: 'shop.other' });
    expect(new Pipeline([double, two]).begin(other)).toBe(other);
  });

  it('names the transform and the step that threw, and says whether it waited', async () => {
    const broken = filter(Counted, () => {
      throw new Error('no idea');
    });
    await expect(run([double, broken], counted(1))).rejects.toMatchObject({
      code: 'transform-failed',
      transform: 'filter shop.counted',
      step: 2,
      retryable: false,
      message: 'filter shop.counted (step 2): no idea',
    });
  });
});

describe('split', () => {
  it('numbers the parts, which continue the correlation and name the whole as their cause', async () => {
    const parts = await run([two], counted(1, { correlationid: 'c', partitionkey: 'k', time: '2026-01-01T00:00:00Z' }));
    expect(parts.map(({ message }) => message)).toMatchObject([
      { id: 'm/1', correlationid: 'c', causationid: 'm', partitionkey: 'k', data: { count: 1 } },
      { id: 'm/2', correlationid: 'c', causationid: 'm', partitionkey: 'k', data: { count: 2 } },
    ]);
  });

  it('gives commands the key of their contract, and events that of the whole', async () => {
    const orders = split(Counted, Order, ({ id }) => [{ id: `${id}1` }, { id: `${id}2` }]);
    const parts = await run([orders], counted(1, { partitionkey: 'k' }));
    expect(parts.map(({ message, kind }) => [message.partitionkey, kind])).toEqual([
      ['a1', 'command'],
      ['a2', 'command'],
    ]);
    expect((await run([two], counted(1)))[0]!.message).not.toHaveProperty('partitionkey');
  });
});

describe('routers', () => {
  it('choose among declared routes, and keep the route on the way on', async () => {
    const size = route(Counted, ['small', 'large'], ({ count }) => (count > 5 ? 'large' : 'small'));
    expect(await run([size, double], counted(9))).toMatchObject([{ route: 'large', message: { data: { count: 18 } } }]);
    const odd = route(Counted, ['small'], () => 'huge' as 'small');
    await expect(run([odd], counted(1))).rejects.toThrow("'huge' is not among the declared routes");
  });

  it('copy a message to each recipient once', async () => {
    const list = recipientList(Counted, ['a', 'b', 'c'], () => ['a', 'c', 'a']);
    expect((await run([list], counted(1))).map(({ route: to }) => to)).toEqual(['a', 'c']);
  });

  it('need routes, each once', () => {
    expect(() => route(Counted, [], (() => 'a') as never)).toThrow('has no routes');
    expect(() => recipientList(Counted, ['a', 'a'], () => [])).toThrow("names route 'a' twice");
  });
});

describe('a wire tap', () => {
  it('lets the message go on, and sends another one', async () => {
    const tap = wireTap(Counted, Order, ({ id }) => ({ id }));
    expect(await run([tap, double], counted(2))).toMatchObject([
      { message: { id: 'm', data: { count: 4 } } },
      { message: { id: 'm/tap', type: 'depot.order', causationid: 'm' }, kind: 'command', tapped: true },
    ]);
  });

  it('has a type of its own', () => {
    expect(() => wireTap(Counted, Counted, ({ id, count }) => ({ id, count }))).toThrow('give it its own type');
  });
});

describe('a routing slip', () => {
  const slip = routingSlip(Order, ['cut', 'paint', 'pack'], ({ id }) =>
    id === 'none' ? [] : ['cut', 'paint', 'pack'],
  );
  const order = (id: string) => envelope({ source: '/shop', type: 'depot.order', data: { id } });

  it('leads from stop to stop, with the data as the last stop left them', async () => {
    const [first] = await run([slip], order('a'));
    expect(first).toMatchObject({ route: 'cut', message: { routingslip: 'paint,pack' } });
    const second = nextStop(first!.message, { id: 'changed' })!;
    expect(second).toMatchObject({ route: 'paint', message: { routingslip: 'pack', data: { id: 'changed' } } });
    const third = nextStop(second.message)!;
    expect(third.route).toBe('pack');
    expect(nextStop(third.message)).toBeUndefined();
  });

  it('goes where its type says when it has no stop', async () => {
    const [only] = await run([slip], order('none'));
    expect(only).not.toHaveProperty('route');
  });

  it('is for commands', () => {
    expect(() => routingSlip(Counted, ['a'], () => ['a'])).toThrow('only commands travel');
  });
});

describe('an aggregate', () => {
  const sum = (more: object) =>
    aggregate(Counted, Summed, {
      by: ({ id }) => id,
      combine: (parts) => ({ id: parts[0]!.id, count: parts.reduce((all, { count }) => all + count, 0) }),
      ...more,
    });

  it('gives one message for so many, and begins anew', async () => {
    const messages = [1, 2, 3, 4].map((n) => counted(n, { id: `m${n}` }));
    const results = await run([sum({ count: 2 })], ...messages);
    expect(numbers(results)).toEqual([3, 7]);
    expect(results[0]!.message).toMatchObject({
      type: 'shop.summed',
      id: 'm1/all',
      causationid: 'm2',
      correlationid: 'm1',
    });
  });

  it('counts a message once, however often it comes', async () => {
    const messages = ['a', 'a', 'b'].map((id) => counted(1, { id }));
    expect(numbers(await run([sum({ count: 2 })], ...messages))).toEqual([2]);
  });

  it('sums the same whatever the order, and keeps correlations apart', async () => {
    const part = fc.record({ id: fc.constantFrom('a', 'b', 'c'), count: fc.nat(100) });
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1 }), async (parts) => {
        const last = (all: readonly Counted[]) => all.length === parts.filter(({ id }) => id === all[0]!.id).length;
        const messages = parts.map((data, n) => counted(0, { id: `m${n}`, data }));
        const results = await run([sum({ when: last })], ...messages);
        const expected = new Map<string, number>();
        for (const { id, count } of parts) expected.set(id, (expected.get(id) ?? 0) + count);
        expect(
          new Map(results.map(({ message }) => [(message.data as Summed).id, (message.data as Summed).count])),
        ).toEqual(expected);
      }),
    );
  });

  it('refuses a message that belongs to nothing', async () => {
    await expect(run([sum({ count: 2, by: () => undefined })], counted(1))).rejects.toThrow("'by' gave undefined");
    await expect(run([sum({ count: 2, by: () => '' })], counted(1))).rejects.toThrow('a text that is not empty');
  });

  it('needs to be told when it ends', () => {
    expect(() => sum({})).toThrow('never ends: give it count, when or withinMs');
    expect(() => sum({ count: 0 })).toThrow('count: 0');
    expect(() => sum({ withinMs: -1 })).toThrow('withinMs: -1');
  });
});

describe('what can be said without a message', () => {
  const toOrder = translate(Counted, Order, ({ id }) => ({ id }));

  it('is which types lead to a type, and which it can become', () => {
    expect(entryTypes([toOrder], 'depot.order').toSorted()).toEqual(['depot.order', 'shop.counted']);
    expect(exitTypes([toOrder], 'shop.counted')).toEqual(['depot.order']);
    expect(exitTypes([toOrder], 'shop.other')).toEqual(['shop.other']);
    expect(kindIn([toOrder], 'depot.order')).toBe('command');
    expect(kindIn([toOrder], 'shop.other')).toBeUndefined();
  });
});
