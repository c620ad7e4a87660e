import { Event } from '@millrace/messages';
import { IsInt, IsString } from 'class-validator';
import { refused } from '../call.js';
import {
  CapturePayment,
  ConfirmOrder,
  OrderConfirmed,
  OrderPlaced,
  OutOfStock,
  PaymentCaptured,
  PaymentDeclined,
  PaymentRefunded,
  RefundPayment,
  ReleaseStock,
  ReserveStock,
  StockReleased,
  StockReserved,
} from '../place-order.fixture.js';
import type { CodeSteps } from './code-steps.js';
import { Play } from './play.fixture.js';
import { sagaOf } from './saga-of.js';
import type { CodeOptions } from './saga-of.js';
import { StepRefused } from './step-refused.js';

@Event('order.paid', { key: 'orderId' })
class OrderPaid {
  @IsString() readonly orderId: string;
  @IsInt() readonly amount: number;

  constructor(orderId: string, amount: number) {
    this.orderId = orderId;
    this.amount = amount;
  }

  get isFree(): boolean {
    return this.amount === 0;
  }
}

type Body = (saga: CodeSteps, order: OrderPlaced) => Promise<unknown>;
const play = (code: Body, options: CodeOptions = {}, version = 1) =>
  Play.of(sagaOf(OrderPlaced, code, options).named('code', version));
const placed = new OrderPlaced('4711', 990);
const begun = (body: Body, options?: CodeOptions) => play(body, options).start(placed);
const failing = (): never => {
  throw new Error('the undo is broken');
};

describe('the code of a saga', () => {
  it('is answered by the steps that it awaits, one after the other, and its saga completes with what it returns', async () => {
    const ran: string[] = [];
    const saga = await begun(async (saga, order) => {
      const a = await saga.step('a', () => (ran.push('a'), { id: `${order.orderId}-a` }));
      const b = await saga.step('b', () => (ran.push('b'), `${a.id}-b`));
      return { a: a.id, b };
    });
    await saga.run();

    expect(ran).toEqual(['a', 'b']);
    expect(saga.instance).toMatchObject({
      status: 'completed',
      hash: 'code-1',
      state: { a: { id: '4711-a' }, b: '4711-a-b', output: { a: '4711-a', b: '4711-a-b' } },
    });
    expect(saga.story).toEqual([
      'saga: do started',
      'a: do sent',
      'a: do done',
      'b: do sent',
      'b: do done',
      'code: do done',
      'saga: do completed',
    ]);
  });

  it('is given the same kind of values the first time and when it is run again: what JSON makes of them', async () => {
    const seen: unknown[] = [];
    const saga = await begun(async (saga, order) => {
      const at = await saga.step('a', () => ({ at: new Date(0), none: undefined, work: () => 1 }));
      seen.push([order instanceof OrderPlaced, at]);
      await saga.step('b', () => 1);
    });
    await saga.run();

    expect(seen).toHaveLength(2);
    expect(seen[0]).toEqual([true, { at: '1970-01-01T00:00:00.000Z' }]);
    expect(seen[1]).toEqual(seen[0]);
  });

  it('may return at once, without any operation', async () => {
    const { instance } = await begun(async (_saga, { total }) => total);
    expect(instance).toMatchObject({ status: 'completed', state: { output: 990 } });
  });

  it('gets the reply to a command as an instance of its class', async () => {
    const saga = await begun(async (saga, { orderId }) => {
      const reply = await saga.send('reserve', new ReserveStock(orderId));
      return [reply instanceof StockReserved, reply.reservation];
    });
    expect(saga.sent).toEqual([
      { kind: 'send', id: 'code/4711/0.0/do/1', command: new ReserveStock('4711'), direction: 'do' },
    ]);
    await saga.reply('catalog.reserve-stock', new StockReserved('r1'));
    expect(saga.instance).toMatchObject({ status: 'completed', state: { output: [true, 'r1'] } });
  });

  it('is not moved by a reply of the wrong shape', async () => {
    const saga = await begun((saga, { orderId }) => saga.send('reserve', new ReserveStock(orderId)));
    const before = saga.instance;
    await expect(saga.reply('catalog.reserve-stock', new StockReserved(7 as never))).rejects.toThrow('reservation');
    expect(saga.instance).toBe(before);
  });

  it('sleeps, and knows what time it was there', async () => {
    const times: number[] = [];
    const saga = await begun(async (saga) => {
      times.push(saga.now().getTime());
      await saga.sleep('a while', '1m');
      times.push(saga.now().getTime());
      await saga.sleep('until', new Date(saga.now().getTime() + 1000));
      times.push(saga.now().getTime());
    });
    await saga.wake();
    await saga.wake();
    expect(saga.instance.status).toBe('completed');
    expect(times.slice(-3)).toEqual([0, 60_000, 61_000]);
  });

  it('makes ids that stay the same, and that no other saga has', async () => {
    const ids: string[] = [];
    const body: Body = async (saga) => {
      ids.push(saga.uuid(), saga.uuid());
      await saga.sleep('a while', '1m');
    };
    const saga = await begun(body);
    await saga.wake();
    await Play.of(sagaOf(OrderPlaced, body).named('code'), 'other').start(placed);
    expect(ids[0]).toMatch(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(ids.slice(2, 4)).toEqual(ids.slice(0, 2));
    expect(new Set(ids).size).toBe(4);
  });

  it('waits for an event, which may have come before', async () => {
    const saga = await begun(
      async (saga) => {
        await saga.sleep('first', '1m');
        const paid = await saga.waitFor('payment', OrderPaid, { accepts: ({ amount }) => amount > 1 });
        return [paid instanceof OrderPaid, paid.isFree, paid.amount];
      },
      { waitsFor: [OrderPaid] },
    );
    await saga.event(new OrderPaid('4711', 1));
    await saga.event(new OrderPaid('4711', 2));
    await saga.wake();
    expect(saga.instance).toMatchObject({ status: 'completed', state: { output: [true, false, 2] } });
  });

  it('gets a refusal when the event does not come in time', async () => {
    const saga = await begun(
      async (saga) => {
        try {
          await saga.waitFor('payment', OrderPaid, { within: '3d' });
        } catch (error) {
          return (error as StepRefused).reason;
        }
        return 'paid';
      },
      { waitsFor: [OrderPaid] },
    );
    await saga.wake();
    expect(saga.instance).toMatchObject({
      status: 'completed',
      state: { output: 'no order.paid within 259200000 ms' },
    });
  });
});

describe('a refusal', () => {
  const body: Body = async (saga, { orderId, total }) => {
    await saga.send('reserve', new ReserveStock(orderId), { undo: (reply) => new ReleaseStock(reply!.reservation) });
    await saga.step(
      'note',
      () => 'n1',
      (note) => undone.push(note),
    );
    await saga.send('pay', new CapturePayment(orderId, total), { reason: ({ code }) => `card ${code}` });
  };
  const undone: unknown[] = [];

  it('that the code lets through turns the saga round: what was done is undone in reverse order, with its results', async () => {
    const saga = await begun(body);
    await saga.reply('catalog.reserve-stock', new StockReserved('r1'));
    await saga.run();
    await saga.reply('payment.capture', new PaymentDeclined('expired'));
    expect(saga.instance).toMatchObject({ status: 'compensating', failure: { step: 'pay', reason: 'card expired' } });
    await saga.run();
    expect(undone).toEqual(['n1']);
    expect(saga.sent.at(-1)!.command).toEqual(new ReleaseStock('r1'));
    await saga.reply('catalog.release-stock', new StockReleased('r1'));
    expect(saga.instance.status).toBe('compensated');
    expect(saga.story.slice(-6)).toEqual([
      'pay: do refused',
      'note: undo sent',
      'note: undo done',
      'reserve: undo sent',
      'reserve: undo done',
      'saga: undo compensated',
    ]);
  });

  it('that the code catches lets it go another way, with the reply that said no', async () => {
    const saga = await begun(async (saga, { orderId }) => {
      try {
        await saga.send('reserve', new ReserveStock(orderId), { undo: () => new ReleaseStock(orderId) });
      } catch (error) {
        if (error instanceof StepRefused && error.reply instanceof OutOfStock) return `no ${error.reply.sku}`;
        throw error;
      }
      return 'reserved';
    });
    await saga.reply('catalog.reserve-stock', new OutOfStock('tea'));
    expect(saga.instance).toMatchObject({ status: 'completed', state: { output: 'no tea' } });
    expect(saga.sent).toHaveLength(1);
  });

  it('of a command whose outcome is unknown comes when it is undone', async () => {
    const reasons: string[] = [];
    const saga = await begun(async (saga, { orderId }) => {
      await saga
        .send('reserve', new ReserveStock(orderId), { undo: (reply) => new ReleaseStock(String(reply)), within: '5s' })
        .catch((error: StepRefused) => reasons.push(error.reason));
    });
    await saga.wake();
    expect(reasons).toEqual([]);
    expect(saga.instance.status).toBe('running');
    expect(saga.sent.at(-1)!.command).toEqual(new ReleaseStock('undefined'));
    await saga.reply('catalog.release-stock', new StockReleased('x'));
    expect(reasons).toEqual(['no answer within 5000 ms, 1 attempt']);
    expect(saga.instance.status).toBe('completed');
  });

  it('of a function is what it says, or that all attempts failed', async () => {
    const reasons: string[] = [];
    const saga = await begun(async (saga) => {
      const note = (error: StepRefused) => void reasons.push(error.reason);
      await saga.step('no', () => refused('not today')).catch(note);
      await saga.step('broken', failing, undefined, { retries: 0 }).catch(note);
      await saga.step('big', () => 1n as never, undefined, { retries: 5 }).catch(note);
    });
    await saga.run();
    expect(reasons.slice(-3)).toEqual([
      'not today',
      'the undo is broken, 1 attempt',
      "'big' answers what JSON cannot hold: Do not know how to serialize a BigInt",
    ]);
  });

  it('can be made by the code itself', async () => {
    const saga = await begun(async (saga, { total }) => {
      await saga.step(
        'a',
        () => 1,
        () => 2,
      );
      if (total > 900) saga.turnRound('over the limit');
    });
    await saga.run();
    expect(saga.instance).toMatchObject({ status: 'compensated', failure: { step: 'saga', reason: 'over the limit' } });
  });

  it('is found in errors that have it as their cause, and in those of Promise.any', async () => {
    const wrapped = await begun(async (saga) => {
      try {
        await saga.step('a', () => refused('no'));
      } catch (cause) {
        throw new Error('could not do it', { cause });
      }
    });
    await wrapped.run();
    expect(wrapped.instance).toMatchObject({ status: 'compensated', failure: { step: 'a', reason: 'no' } });

    const any = await begun((saga) =>
      Promise.any([saga.step('a', () => refused('no')), saga.step('b', () => refused('never'))]),
    );
    await any.run();
    expect(any.instance).toMatchObject({ status: 'compensated', failure: { reason: 'no' } });
  });

  it('of an undo that fails parks the saga, and a person decides', async () => {
    const saga = await begun(async (saga) => {
      await saga.step('a', () => 1, failing, { undoing: { attempts: 1 } });
      saga.turnRound('no');
    });
    await saga.run();
    expect(saga.instance).toMatchObject({ status: 'parked', parked: [{ step: 'a', path: '0.0', direction: 'undo' }] });
    expect(await saga.feel({ kind: 'resolve', by: 'ann', why: 'cancelled by phone' })).toBe(true);
    expect(saga.instance.status).toBe('compensated');
  });
});

describe('operations at the same time', () => {
  const both: Body = async (saga) => {
    const [a, b] = await Promise.all([
      saga
        .step(
          'a',
          () => 1,
          () => 0,
        )
        .then((n) => saga.step('after a', () => n + 1)),
      saga
        .step(
          'b',
          () => 10,
          () => 0,
        )
        .then((n) => saga.step('after b', () => n + 10)),
    ]);
    return a + b;
  };

  it.each([false, true])('are awaited together, in whatever order they end (newest first: %s)', async (newestFirst) => {
    const saga = await begun(both);
    expect(saga.calls).toHaveLength(2);
    await saga.run(newestFirst);
    expect(saga.instance).toMatchObject({ status: 'completed', state: { output: 22 } });
  });

  it('are told in the order in which they ended, whenever the code is run again', async () => {
    const saga = await begun(both);
    const [a, b] = saga.calls.splice(0);
    await saga.runOne(b!);
    await saga.runOne(a!);
    const [run] = saga.instance.run.runs as unknown as [{ ops: { name: string }[]; told: { op: number }[] }];
    expect(run.ops.map(({ name }) => name)).toEqual(['a', 'b', 'after b', 'after a']);
    expect(run.told.map(({ op }) => op)).toEqual([1, 0]);
    await saga.run();
    expect(saga.instance).toMatchObject({ status: 'completed', state: { output: 22 } });
  });

  it('are stopped when one is refused: what is still under way is undone as soon as it is known', async () => {
    const saga = await begun(async (saga) => {
      await Promise.all([
        saga.step(
          'a',
          () => 1,
          () => 0,
        ),
        saga.step('b', () => refused('no')),
      ]);
    });
    const [a, b] = saga.calls.splice(0);
    await saga.runOne(b!);
    expect(saga.instance).toMatchObject({ status: 'compensating', failure: { step: 'b' } });
    await saga.runOne(a!);
    await saga.run();
    expect(saga.instance.status).toBe('compensated');
    expect(saga.story).toContain('a: undo done');
  });

  it('that the code does not wait for any more are taken back when it returns', async () => {
    const saga = await begun((saga, { orderId }) =>
      Promise.race([
        saga.send('reserve', new ReserveStock(orderId), { undo: () => new ReleaseStock(orderId) }),
        saga.sleep('patience', '1s'),
      ]),
    );
    await saga.wake();
    expect(saga.instance.status).toBe('running');
    await saga.reply('catalog.reserve-stock', new StockReserved('r1'));
    expect(saga.sent.at(-1)!.command).toEqual(new ReleaseStock('4711'));
    await saga.reply('catalog.release-stock', new StockReleased('r1'));
    expect(saga.instance.status).toBe('completed');
  });
});

describe('the pivot', () => {
  const body: Body = async (saga, { orderId, total }) => {
    const { payment } = await saga.send('pay', new CapturePayment(orderId, total), {
      undo: () => new RefundPayment(orderId),
    });
    saga.pivot();
    await saga.send('confirm', new ConfirmOrder(orderId, payment));
    await saga.step('mail', () => {
      if (failures-- > 0) throw new Error('no mail today');
    });
  };
  let failures = 0;

  it('is the point after which everything is repeated until it is done', async () => {
    failures = 5;
    const saga = await begun(body);
    expect(await saga.feel({ kind: 'cancel', by: 'ann', why: 'test' })).toBe(true);
    await saga.reply('payment.capture', new PaymentCaptured('p1'));
    await saga.reply('payment.refund', new PaymentRefunded('p1'));
    expect(saga.instance.status).toBe('compensated');

    const forward = await begun(body);
    await forward.reply('payment.capture', new PaymentCaptured('p1'));
    expect(await forward.feel({ kind: 'cancel', by: 'ann', why: 'test' })).toBe(false);
    await forward.wake();
    await forward.wake();
    expect(forward.sent.at(-1)!.id).toBe('code/4711/0.2/do/2');
    await forward.reply('order.confirm', new OrderConfirmed(1));
    await forward.run();
    while (forward.instance.status === 'running') {
      await forward.wake();
      await forward.run();
    }
    expect(forward.instance.status).toBe('completed');
    expect(failures).toBe(-1);
  });

  it.each<[string, Body]>([
    [
      "after its pivot a saga only goes forward: the undo of 'a' is not possible",
      async (saga) => {
        saga.pivot();
        await saga.step(
          'a',
          () => 1,
          () => 2,
        );
      },
    ],
    [
      "the pivot comes while 'a' is under way: await it first",
      async (saga) => {
        const a = saga.step('a', () => 1);
        saga.pivot();
        await a;
      },
    ],
    [
      'a saga has one pivot',
      async (saga) => {
        saga.pivot();
        saga.pivot();
      },
    ],
    [
      "after its pivot a saga only goes forward, and 'saga' was refused: too late",
      async (saga) => {
        saga.pivot();
        saga.turnRound('too late');
      },
    ],
  ])('has its rules: %s', async (rule, body) => {
    expect((await begun(body)).halted).toMatch(rule);
  });
});

describe('code that cannot go on', () => {
  it.each<[string, Body]>([
    ["two operations are called 'a'", (saga) => Promise.all([saga.step('a', () => 1), saga.step('a', () => 2)])],
    ['a step needs a name', (saga) => saga.step(' ', () => 1)],
    ["no operation can be called 'input'", (saga) => saga.step('input', () => 1)],
    ["length of sleep 'a' is -1", (saga) => saga.sleep('a', -1)],
    [
      "'a' waits for order.paid, which is not declared: sagaOf(..., { waitsFor: [OrderPaid] })",
      (saga) => saga.waitFor('a', OrderPaid),
    ],
    ['its code failed: TypeError: Cannot read properties of undefined', async () => (undefined as never as { x: 1 }).x],
    ['its code waits for something that is no operation', () => new Promise(() => undefined)],
    ["its code has returned without waiting for 'a'", async (saga) => void saga.step('a', () => 1)],
    ['its code answers what JSON cannot hold', async () => 1n],
  ])('is parked, with what is wrong: %s', async (wrong, body) => {
    const saga = await begun(body);
    expect(saga.halted).toContain(wrong);
    expect(saga.instance).toMatchObject({ status: 'parked' });
    expect(saga.calls).toEqual([]);
  });

  it('says where it failed, and goes on when it has been corrected and is retried', async () => {
    let isCorrected = false;
    const saga = await begun(async (saga) => {
      const a = await saga.step('a', () => 1);
      if (!isCorrected) throw new TypeError('not a function');
      return saga.step('b', () => a + 1);
    });
    await saga.run();
    expect(saga.halted).toMatch(/its code failed: TypeError: not a function \(at .*code\.spec/);
    isCorrected = true;
    await saga.feel({ kind: 'retry', by: 'ann', why: 'corrected' });
    await saga.run();
    expect(saga.instance).toMatchObject({ status: 'completed', state: { output: 2 } });
  });

  it('loses nothing that happens meanwhile', async () => {
    const shape = { first: 'a' };
    const saga = await begun(async (saga, { orderId }) => {
      const a = await saga.step(shape.first, () => 1);
      const [b] = await Promise.all([saga.send('b', new ReserveStock(orderId)), saga.step('c', () => 2)]);
      return [a, b.reservation];
    });
    await saga.run();
    shape.first = 'other';
    // The answer to 'b' meets code that has been changed.
    await saga.reply('catalog.reserve-stock', new StockReserved('r1'));
    expect(saga.halted).toMatch(/NondeterminismError: operation 0 was step 'a' and now is step 'other'/);
    expect(saga.instance.wakeAt).toBeUndefined();
    shape.first = 'a';
    await saga.feel({ kind: 'retry', by: 'ann', why: 'rolled back' });
    expect(saga.instance).toMatchObject({ status: 'completed', state: { output: [1, 'r1'] } });
  });

  it('can be turned round: what was done is undone', async () => {
    const saga = await begun(async (saga) => {
      await saga.step(
        'a',
        () => 1,
        () => 2,
      );
      throw new TypeError('not a function');
    });
    await saga.run();
    expect(await saga.feel({ kind: 'skip', by: 'ann', why: 'never mind' })).toBe(false);
    await saga.feel({ kind: 'cancel', by: 'ann', why: 'no time to correct it' });
    await saga.run();
    expect(saga.instance).toMatchObject({ status: 'compensated', failure: { step: 'cancelled' } });
    expect(saga.story).toContain('a: undo done');
  });

  it('can be ended by a person', async () => {
    const saga = await begun(async () => failing());
    await saga.feel({ kind: 'abort', by: 'ann', why: 'never mind' });
    expect(saga.instance.status).toBe('aborted');
  });
});

describe('code that does something else than before', () => {
  const first: Body = async (saga) => {
    await saga.step(
      'a',
      () => 1,
      () => 2,
    );
    await saga.sleep('a while', '1m');
    await saga.step('b', () => 1);
  };

  it.each<[string, Body]>([
    ["operation 0 was step 'a' and now is sleep 'a'", (saga) => saga.sleep('a', '1m')],
    ["operation 0 was step 'a' and now is step 'x'", (saga) => saga.step('x', () => 1)],
    ["operation 0 was step 'a' and now is nothing: the code has returned", async () => undefined],
    [
      "operation 1 was sleep 'a while' and now is nothing: the code failed: Error: the undo is broken",
      async (saga) => {
        await saga.step('a', () => 1);
        failing();
      },
    ],
    [
      "operation 2 was not begun here and now is step 'more'",
      async (saga) => {
        await saga.step('a', () => 1);
        await Promise.all([saga.sleep('a while', '1m'), saga.step('more', () => 1)]);
      },
    ],
  ])('parks its saga, which is left as it is otherwise: %s', async (wrong, second) => {
    const saga = await begun(first);
    await saga.run();
    const before = saga.instance;
    saga.definition = play(second).definition;
    await saga.wake();
    expect(saga.halted).toContain(`NondeterminismError: ${wrong}`);
    expect(saga.instance.state).toEqual(before.state);
    const [was, is] = [before, saga.instance].map(({ run }) => run.runs[0] as unknown as Record<string, unknown>);
    expect(is).toEqual({ ...was, phase: 'stuck', halt: saga.halted });

    saga.definition = play(first).definition;
    await saga.feel({ kind: 'retry', by: 'ann', why: 'rolled back' });
    await saga.wake();
    await saga.run();
    expect(saga.instance.status).toBe('completed');
  });

  it('is not undone before it is the same again', async () => {
    const saga = await begun(first);
    await saga.run();
    saga.definition = play(async () => undefined).definition;
    await saga.feel({ kind: 'cancel', by: 'ann', why: 'no stock' });
    expect(saga.instance).toMatchObject({ status: 'parked', failure: { reason: 'no stock' } });
    saga.definition = play(first).definition;
    await saga.feel({ kind: 'retry', by: 'ann', why: 'rolled back' });
    await saga.run();
    expect(saga.instance.status).toBe('compensated');
  });
});
