import fc from 'fast-check';
import { refused } from '../call.js';
import { explore } from '../explore.js';
import {
  OrderPlaced,
  OutOfStock,
  ReleaseStock,
  ReserveStock,
  StockReleased,
  StockReserved,
} from '../place-order.fixture.js';
import { runCall } from '../runtime/run-call.js';
import { contractOf } from '@millrace/messages';
import type { CodeSteps } from './code-steps.js';
import { Play } from './play.fixture.js';
import { sagaOf } from './saga-of.js';
import { StepRefused } from './step-refused.js';

/** How many sagas are explored. */
const EXPLORED = Number(process.env.EXPLORED_CODES ?? 20);

/** A function, or a command. */
interface Deed {
  readonly kind: 'step' | 'send';
  readonly name: string;
  readonly refuses: boolean;
  /** The code goes on when it is refused. */
  readonly caught: boolean;
}

/** What code does, as data: so that it can be made up. */
type Part =
  | Deed
  | { readonly kind: 'sleep'; readonly name: string }
  | { readonly kind: 'all'; readonly parts: readonly (readonly Part[])[] };

/** What may happen to a saga. */
type Blow = { readonly what: 'end' | 'repeat' | 'crash' | 'wake'; readonly which: number };

const leaf: fc.Arbitrary<Part> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('step' as const, 'send' as const),
    name: fc.constant(''),
    refuses: fc.boolean(),
    caught: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('sleep' as const), name: fc.constant('') }),
);
const sequence = fc.array(leaf, { minLength: 1, maxLength: 3 });
const part: fc.Arbitrary<Part> = fc.oneof(
  { weight: 3, arbitrary: leaf },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('all' as const),
      parts: fc.array(sequence, { minLength: 1, maxLength: 3 }),
    }),
  },
);
const program = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => named(parts));
const blows = fc.array(
  fc.record({
    what: fc.constantFrom<Blow['what']>('end', 'end', 'end', 'repeat', 'crash', 'wake'),
    which: fc.nat(7),
  }),
  { maxLength: 40 },
);

function named(parts: readonly Part[], prefix = 'p'): readonly Part[] {
  return parts.map((each, at) =>
    each.kind === 'all'
      ? { ...each, parts: each.parts.map((branch, b) => named(branch, `${prefix}${at}.${b}.`)) }
      : { ...each, name: `${prefix}${at}` },
  );
}

/** The code of a program. @param begin what it does itself */
async function perform(
  saga: CodeSteps,
  parts: readonly Part[],
  begin: (deed: Deed) => Promise<unknown>,
): Promise<unknown> {
  const results: unknown[] = [];
  for (const each of parts) {
    if (each.kind === 'all') {
      results.push(await Promise.all(each.parts.map((branch) => perform(saga, branch, begin))));
    } else if (each.kind === 'sleep') await saga.sleep(each.name, '1s');
    else {
      results.push(
        await begin(each).catch((error: unknown) => {
          if (each.caught && error instanceof StepRefused) return `no ${each.name}`;
          throw error;
        }),
      );
    }
  }
  return results;
}

/** A saga that does a program, the effects that its functions have, and everything that can happen to it. */
class World {
  readonly play: Play;
  /** Effects by idempotency key, and the results that came of each attempt. */
  readonly effects = new Map<string, number>();
  private readonly open = new Map<string, () => Promise<void>>();
  private readonly past: (() => Promise<void>)[] = [];
  private seen = 0;

  constructor(parts: readonly Part[]) {
    this.play = Play.of(
      sagaOf(OrderPlaced, (saga) =>
        perform(saga, parts, (deed) => (deed.kind === 'step' ? this.step(saga, deed) : this.send(saga, deed))),
      ).named('made-up'),
    );
  }

  async start(): Promise<this> {
    await this.play.start(new OrderPlaced('4711', 1));
    return this.look();
  }

  async suffer({ what, which }: Blow): Promise<void> {
    const ids = [...this.open.keys()];
    if (what === 'wake' && this.play.instance.wakeAt !== undefined) await this.play.wake();
    if (what === 'repeat') await this.past[which % (this.past.length || 1)]?.();
    const id = ids[which % (ids.length || 1)];
    if (id !== undefined && what === 'crash') await this.lose(id);
    if (id !== undefined && what === 'end') {
      const end = this.open.get(id)!;
      this.open.delete(id);
      this.past.push(end);
      await end();
    }
    this.look();
  }

  /** Everybody answers, until nothing is left to do. */
  async finish(): Promise<void> {
    for (let round = 0; round < 500 && this.play.instance.endedAt === undefined; round++) {
      await this.suffer({ what: this.open.size > 0 ? 'end' : 'wake', which: round });
    }
  }

  /** The process dies when a function has done its work and its result is not recorded: it is run again. */
  private async lose(id: string): Promise<void> {
    const call = this.play.actions.find((action) => action.kind === 'call' && action.id === id);
    if (call?.kind === 'call') await runCall(call);
  }

  private look(): this {
    for (const action of this.play.actions.slice(this.seen)) {
      if (action.kind === 'call') this.open.set(action.id, () => this.play.runOne(action));
      if (action.kind === 'send') {
        const { command } = action;
        const answer =
          command instanceof ReleaseStock
            ? new StockReleased('x')
            : (command as ReserveStock).orderId.startsWith('no ')
              ? new OutOfStock('x')
              : new StockReserved((command as ReserveStock).orderId);
        const { type, failure } = contractOf(answer);
        const reply = {
          kind: 'reply',
          inReplyTo: action.id,
          outcome: failure ? 'failure' : 'success',
          type,
          data: answer,
        } as const;
        this.open.set(action.id, async () => void (await this.play.feel(reply)));
      }
    }
    this.seen = this.play.actions.length;
    return this;
  }

  private step(
    saga: CodeSteps,
    { name, refuses }: { readonly name: string; readonly refuses: boolean },
  ): Promise<unknown> {
    const effect = (key: string): number => {
      this.effects.set(key, (this.effects.get(key) ?? 0) + 1);
      return this.effects.get(key)!;
    };
    return saga.step(
      name,
      ({ idempotencyKey }) => (refuses ? refused(name) : `${name} at attempt ${effect(idempotencyKey)}`),
      (result, { idempotencyKey }) => void effect(`${idempotencyKey} ${String(result)}`),
    );
  }

  private async send(
    saga: CodeSteps,
    { name, refuses }: { readonly name: string; readonly refuses: boolean },
  ): Promise<string> {
    const command = new ReserveStock(refuses ? `no ${name}` : name);
    const reply = await saga.send(name, command, { undo: () => new ReleaseStock(name), within: '30d' });
    return reply.reservation;
  }
}

function check(holds: (world: World) => void | Promise<void>): Promise<void> {
  return fc.assert(
    fc.asyncProperty(program, blows, async (parts, sequence) => {
      const world = await new World(parts).start();
      for (const blow of sequence) await world.suffer(blow);
      await holds(world);
    }),
    { numRuns: 150 },
  );
}

describe('whatever happens to a saga of code', () => {
  it('it ends, completed or with everything undone, and its code never halts', () =>
    check(async (world) => {
      await world.finish();
      expect(world.play.halted).toBeUndefined();
      expect(['completed', 'compensated']).toContain(world.play.instance.status);
    }));

  it('each operation is begun once and each command is sent once', () =>
    check(async (world) => {
      await world.finish();
      const ids = world.play.actions.flatMap((action) =>
        action.kind === 'send' || action.kind === 'call' ? [action.id] : [],
      );
      expect(new Set(ids).size).toBe(ids.length);
    }));

  it('each function has one recorded result, which nothing changes afterwards', async () => {
    await check(async (world) => {
      const before = { ...world.play.instance.state } as Record<string, unknown>;
      await world.finish();
      const after = world.play.instance.state as Record<string, unknown>;
      for (const [name, value] of Object.entries(before)) expect(after[name]).toEqual(value);
      for (const { what, times } of world.play.instance.history) if (what === 'done') expect(times).toBe(1);
    });
  });

  it('what was done when it turned round is undone in strictly reverse order of its beginning', () =>
    check(async (world) => {
      await world.finish();
      const { history, failure } = world.play.instance;
      const turned = failure
        ? history.findLastIndex(
            ({ step, what }) => step === failure.step && (what === 'refused' || what === 'given-up'),
          )
        : 0;
      const done = history
        .slice(0, turned)
        .filter((entry) => entry.direction === 'do' && entry.what === 'done' && !isSleep(world, entry.path))
        .map(({ path }) => path);
      const undone = history
        .filter((entry) => entry.direction === 'undo' && entry.what === 'sent')
        .map(({ path }) => path);
      expect(undone.filter((path) => done.includes(path))).toEqual(done.sort(byPlace).reverse());
    }));
});

describe('every way that a saga of code can go', () => {
  it('holds what every saga has to hold', async () => {
    const seen = { sagas: 0, exhausted: 0, states: 0, transitions: 0 };
    const begin = (saga: CodeSteps, { kind, name, refuses }: Deed): Promise<unknown> =>
      kind === 'send'
        ? saga.send(name, new ReserveStock(name), refuses ? {} : { undo: () => new ReleaseStock(name) })
        : saga.step(name, () => name, refuses ? undefined : () => undefined, { retries: 1 });
    await fc.assert(
      fc.asyncProperty(program, async (parts) => {
        const saga = sagaOf(OrderPlaced, (saga) => perform(saga, parts, (deed) => begin(saga, deed)));
        const result = await explore(saga.named('made-up'), {
          given: new OrderPlaced('4711', 1),
          answers: { 'catalog.reserve-stock': [new StockReserved('r1'), new OutOfStock('tea')] },
          maxStates: 500,
        });
        seen.sagas++;
        if (result.exhausted) seen.exhausted++;
        seen.states += result.states;
        seen.transitions += result.transitions;
      }),
      { numRuns: EXPLORED },
    );
    console.log('explored in code', seen);

    expect(seen.exhausted).toBeGreaterThan(0);
  }, 600_000);
});

function isSleep({ play }: World, path: string): boolean {
  const [run] = play.instance.run.runs as unknown as [{ readonly ops: readonly { readonly kind: string }[] }];
  return run.ops[placeOf(path)]?.kind === 'sleep';
}

function placeOf(path: string): number {
  return Number(path.slice('0.'.length));
}

function byPlace(a: string, b: string): number {
  return placeOf(a) - placeOf(b);
}
