import { contractOf } from '@millrace/messages';
import { formatCommandId } from './command-id.js';
import type { Direction } from './command-id.js';
import type { SagaInstance } from './instance.js';
import { next } from './next.js';
import {
  CapturePayment,
  CheckCredit,
  ConfirmOrder,
  CreditChecked,
  NotCreditworthy,
  NotRefundable,
  OrderConfirmed,
  OrderPlaced,
  OrderRejected,
  OutOfStock,
  PaymentCaptured,
  PaymentDeclined,
  PaymentRefunded,
  placeOrder,
  RefundPayment,
  RejectOrder,
  ReleaseStock,
  ReserveStock,
  StockReleased,
  StockReserved,
} from './place-order.fixture.js';
import type { PlaceOrderState } from './place-order.fixture.js';
import { SagaEnded, SagaParked, SagaStarted, SagaTurned } from './saga-events.js';
import { saga } from './dsl/saga.js';
import type { SagaAction, SagaInput } from './transition.js';

type Instance = SagaInstance<PlaceOrderState>;

const started = { kind: 'start', id: '4711', input: new OrderPlaced('4711', 990) } as const;
const command = (step: number | 'end', direction: Direction = 'do', attempt = 1) =>
  formatCommandId({ saga: 'place-order', id: '4711', path: String(step), direction, attempt });
const reply = (inReplyTo: string, data: object): SagaInput => {
  const { type, failure } = contractOf(data);
  return { kind: 'reply', inReplyTo, outcome: failure ? 'failure' : 'success', type, data };
};
/** What is due next, happens. */
const wake: SagaInput = { kind: 'wake' };

/** Plays inputs, each a second after the one before, or when something is due; each has to move the saga. Answers what the last one did. */
function play(inputs: readonly SagaInput[], definition = placeOrder) {
  let instance: Instance | undefined;
  let actions: readonly SagaAction[] = [];
  let now = -1000;
  inputs.forEach((input, index) => {
    now = input.kind === 'wake' ? instance!.wakeAt! : now + 1000;
    const transition = next(definition, instance, input, { now });
    if (transition.outcome !== 'moved')
      throw new Error(`input ${index} was ${transition.outcome}: ${transition.reason}`);
    ({ instance, actions } = transition);
  });
  return { instance: instance!, actions, now };
}

function reasonToIgnore(inputs: readonly SagaInput[], input: SagaInput): string {
  const instance = inputs.length === 0 ? undefined : play(inputs).instance;
  const transition = next(placeOrder, instance, input, { now: 0 });
  return transition.outcome === 'moved' ? 'it was not ignored' : transition.reason;
}

const sends = (actions: readonly SagaAction[]) => actions.filter((action) => action.kind === 'send');
const records = (actions: readonly SagaAction[]) => actions.filter((action) => action.kind === 'record');

const reserved = [started, reply(command(0, 'do'), new StockReserved('r1'))];
const checked = [...reserved, reply(command(1, 'do'), new CreditChecked('A'))];
const captured = [...checked, reply(command(2, 'do'), new PaymentCaptured('p1'))];
const declined = [...checked, reply(command(2, 'do'), new PaymentDeclined('expired'))];
const rejecting = [...declined, reply(command(0, 'undo'), new StockReleased('4711'))];
const unknownPayment = [...checked, wake];

describe('a start event', () => {
  it('stores the first state, sends the first command with its deadline, and is recorded', () => {
    const { instance, actions } = play([started]);

    expect(instance).toMatchObject({
      saga: 'place-order',
      id: '4711',
      version: 1,
      hash: placeOrder.hash,
      correlationid: '4711',
      status: 'running',
      state: { orderId: '4711', total: 990 },
      run: { phase: 'doing', runs: [{ phase: 'doing', attempt: 1, due: 10_000, key: '4711' }] },
      wakeAt: 10_000,
      history: [
        { step: 'saga', path: '', what: 'started', change: { value: { orderId: '4711', total: 990 } } },
        { step: 'reserve stock', path: '0', direction: 'do', what: 'sent', at: 0, times: 1 },
      ],
      startedAt: 0,
      updatedAt: 0,
    });
    expect(actions).toEqual([
      { kind: 'record', event: new SagaStarted('place-order', '4711', '1970-01-01T00:00:00.000Z') },
      {
        kind: 'send',
        id: 'place-order/4711/0/do/1',
        command: new ReserveStock('4711'),
        direction: 'do',
        undoable: true,
        key: '4711',
      },
      { kind: 'wake', at: 10_000 },
    ]);
  });

  it('is ignored for an instance that exists', () => {
    expect(reasonToIgnore([started], started)).toBe('this saga has been started before');
  });

  it('makes the same decision each time', () => {
    expect(play(declined)).toEqual(play(declined));
  });
});

describe('a success reply', () => {
  it('changes the state and sends the next command in place of the timer before', () => {
    const { instance, actions } = play(reserved);

    expect(instance.state).toEqual({ orderId: '4711', total: 990, reservation: 'r1' });
    expect(actions).toEqual([
      { kind: 'send', id: command(1), command: new CheckCredit('4711', 990), direction: 'do' },
      { kind: 'wake', at: 31_000 },
    ]);
  });

  it('leaves the state as it is when its handler has no mapper', () => {
    expect(play(checked).instance.state).toEqual(play(reserved).instance.state);
  });

  it('to the last step completes the saga', () => {
    const { instance, actions } = play([...captured, reply(command(4, 'do'), new OrderConfirmed(1))]);

    expect(instance.status).toBe('completed');
    expect(instance.wakeAt).toBeUndefined();
    expect(actions).toEqual([
      { kind: 'record', event: new SagaEnded('place-order', '4711', 'completed', '1970-01-01T00:00:04.000Z') },
      { kind: 'wake', at: undefined },
    ]);
  });

  it('to an earlier attempt of the step counts', () => {
    const { instance } = play([started, wake, reply(command(0, 'do', 1), new StockReserved('late'))]);

    expect(instance).toMatchObject({
      run: { runs: [{ phase: 'done' }, { phase: 'doing' }] },
      state: { reservation: 'late' },
    });
  });
});

describe('a refusal', () => {
  it('turns the saga round with its reason and undoes the steps before it', () => {
    const { instance, actions } = play(declined);

    expect(instance).toMatchObject({
      status: 'compensating',
      failure: { step: 'take payment', reason: 'payment.declined' },
    });
    expect(actions).toEqual([
      { kind: 'send', id: command(0, 'undo'), command: new ReleaseStock('4711'), direction: 'undo', key: '4711' },
      {
        kind: 'record',
        event: new SagaTurned('place-order', '4711', 'take payment', 'payment.declined', '1970-01-01T00:00:03.000Z'),
      },
      { kind: 'wake', at: 13_000 },
    ]);
  });

  it('of the first step has nothing to undo', () => {
    const { instance, actions } = play([started, reply(command(0, 'do'), new OutOfStock('tea'))]);

    expect(instance).toMatchObject({ status: 'rejecting', failure: { reason: 'no tea left' } });
    expect(sends(actions)).toEqual([
      { kind: 'send', id: command('end'), command: new RejectOrder('4711', 'no tea left'), direction: 'do' },
    ]);
  });

  it('of a later attempt undoes this step too, since an earlier attempt may have done it', () => {
    const { instance, actions } = play([started, wake, reply(command(0, 'do', 2), new OutOfStock('tea'))]);

    expect(instance.status).toBe('compensating');
    expect(sends(actions)).toMatchObject([{ command: new ReleaseStock('4711') }]);
  });

  it('of an earlier attempt is ignored, since a later attempt may still do the step', () => {
    expect(reasonToIgnore([started, wake], reply(command(0, 'do', 1), new OutOfStock('tea')))).toBe(
      'this attempt was given up before',
    );
  });
});

describe('a deadline', () => {
  it('sends the command again under the next attempt, while retries are left', () => {
    const { instance, actions, now } = play([started, wake]);

    expect(instance.run.runs).toMatchObject([{ phase: 'doing', attempt: 2 }]);
    expect(actions).toEqual([
      {
        kind: 'send',
        id: command(0, 'do', 2),
        command: new ReserveStock('4711'),
        direction: 'do',
        undoable: true,
        key: '4711',
      },
      { kind: 'wake', at: now + 10_000 },
    ]);
  });

  it('of the last attempt gives the step up and undoes it first, since its outcome is unknown', () => {
    const { instance, actions } = play(unknownPayment);

    expect(instance).toMatchObject({
      status: 'compensating',
      run: { runs: [{ phase: 'done' }, { phase: 'done' }, { phase: 'undoing' }] },
      failure: { step: 'take payment', reason: 'no answer within 30000 ms, 1 attempt' },
    });
    expect(sends(actions)).toMatchObject([{ command: new RefundPayment('4711') }]);
  });

  it('counts attempts in the reason', () => {
    const attempts = [1, 2, 3].map(() => wake);

    expect(play([started, ...attempts]).instance.failure?.reason).toBe('no answer within 10000 ms, 3 attempts');
  });

  it('that has moved on is waited for anew', () => {
    const { instance } = play(reserved);
    const early = next(placeOrder, instance, wake, { now: 30_999 });

    expect(early).toEqual({
      outcome: 'moved',
      instance: { ...instance, updatedAt: 30_999 },
      actions: [{ kind: 'wake', at: 31_000 }],
    });
  });
});

describe('an input that is not for the command in hand', () => {
  const cases: readonly (readonly [string, readonly SagaInput[], SagaInput])[] = [
    ['a reply before the start', [], reply(command(0, 'do'), new StockReserved('r1'))],
    ['a duplicate reply', reserved, reply(command(0, 'do'), new StockReserved('r1'))],
    ['a reply to a command that was not sent yet', [started], reply(command(1, 'do'), new CreditChecked('A'))],
    ['a reply to an attempt that was not made yet', [started], reply(command(0, 'do', 2), new StockReserved('r1'))],
    ['a reply without a command id', [started], reply('what you asked for', new StockReserved('r1'))],
    ['a reply to another instance', [started], reply('place-order/4712/0/do/1', new StockReserved('r1'))],
    ['a reply to another saga', [started], reply('refund-order/4711/0/do/1', new StockReserved('r1'))],
    ['a late success of a step that was given up', unknownPayment, reply(command(2, 'do'), new PaymentCaptured('p1'))],
    ['a late refusal of a step that was given up', unknownPayment, reply(command(2, 'do'), new PaymentDeclined('no'))],
    ['a reply that the step does not know', [started], reply(command(0, 'do'), new NotCreditworthy('debts'))],
  ];

  it.each(cases)('is ignored with a reason: %s', (_, before, input) => {
    expect(reasonToIgnore(before, input)).not.toBe('it was not ignored');
  });

  it('is ignored when the saga has ended', () => {
    const ended = [...rejecting, reply(command('end', 'do'), new OrderRejected('4711'))];

    expect(reasonToIgnore(ended, reply(command('end', 'do'), new OrderRejected('4711')))).toBe(
      'this is not the command in hand',
    );
    expect(reasonToIgnore(ended, wake)).toBe('this saga is compensated');
    expect(reasonToIgnore(ended, started)).toBe('this saga has been started before');
  });
});

describe('compensation', () => {
  it('undoes in reverse order, skips steps that have nothing to undo, and says goodbye', () => {
    const undone = [...unknownPayment, reply(command(2, 'undo'), new PaymentRefunded('f1'))];

    expect(sends(play(undone).actions)).toMatchObject([{ command: new ReleaseStock('4711') }]);
    expect(sends(play([...undone, reply(command(0, 'undo'), new StockReleased('4711'))]).actions)).toEqual([
      {
        kind: 'send',
        id: command('end', 'do'),
        command: new RejectOrder('4711', 'no answer within 30000 ms, 1 attempt'),
        direction: 'do',
      },
    ]);
  });

  it('waits longer after every failure, refused or unanswered', () => {
    const once = [...unknownPayment, reply(command(2, 'undo'), new NotRefundable('too soon'))];
    const first = play(once);
    expect(first.instance.run.runs[2]).toMatchObject({ phase: 'undoing', attempt: 1, waiting: true });
    expect(first.actions).toEqual([{ kind: 'wake', at: first.now + 100 }]);

    const twice = [...once, wake];
    const second = play(twice);
    expect(second.actions).toEqual([
      { kind: 'send', id: command(2, 'undo', 2), command: new RefundPayment('4711'), direction: 'undo', key: '4711' },
      { kind: 'wake', at: second.now + 5000 },
    ]);

    const third = play([...twice, wake]);
    expect(third.actions).toEqual([{ kind: 'wake', at: third.now + 200 }]);
  });

  it('ignores a second failure of the same attempt while it waits', () => {
    const failed = [...unknownPayment, wake];

    expect(reasonToIgnore(failed, reply(command(2, 'undo'), new NotRefundable('late')))).toMatch('given up before');
  });

  it('takes a success that comes while it waits', () => {
    const { instance } = play([...unknownPayment, wake, reply(command(2, 'undo'), new PaymentRefunded('f1'))]);

    expect(instance).toMatchObject({
      status: 'compensating',
      run: { runs: [{ phase: 'undoing' }, { phase: 'undone' }, { phase: 'undone' }] },
    });
  });

  it('that fails in every attempt parks the saga for a person', () => {
    const { instance, actions } = play([
      ...unknownPayment,
      wake,
      wake,
      wake,
      wake,
      reply(command(2, 'undo', 3), new NotRefundable('account closed')),
    ]);

    expect(instance).toMatchObject({ status: 'parked', failure: { step: 'take payment' } });
    expect(instance.parked).toMatchObject([{ step: 'take payment', path: '2', direction: 'undo' }]);
    expect(instance.wakeAt).toBeUndefined();
    expect(records(actions)).toMatchObject([
      { event: { step: 'take payment', reason: 'refused with payment.not-refundable, 3 attempts' } },
    ]);
    expect(records(actions)[0]!.event).toBeInstanceOf(SagaParked);
  });

  it('ends the saga at once when nobody has to be told', () => {
    const { instance, actions } = play([started, reply(command(0, 'do'), new OutOfStock('tea'))], {
      ...placeOrder,
      ends: {},
    });

    expect(instance.status).toBe('compensated');
    expect(records(actions).map(({ event }) => event.constructor.name)).toEqual(['SagaTurned', 'SagaEnded']);
  });
});

describe('the command after compensation', () => {
  it('ends the saga with its success', () => {
    const { instance, actions } = play([...rejecting, reply(command('end', 'do'), new OrderRejected('4711'))]);

    expect(instance.status).toBe('compensated');
    expect(records(actions)).toMatchObject([{ event: { outcome: 'compensated' } }]);
  });

  it('is sent again until it succeeds', () => {
    const again = [...rejecting, wake, wake];

    expect(sends(play(again).actions)).toMatchObject([{ id: command('end', 'do', 2) }]);
  });
});

describe('a step after the pivot', () => {
  const afterPivot = (attempts: number): SagaInput[] => {
    const inputs: SagaInput[] = [...captured];
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const id = command(4, 'do', attempt);
      const refusal = reply(id, new PaymentDeclined('not now'));
      inputs.push(attempt % 2 === 0 ? refusal : wake, wake);
    }
    return inputs;
  };

  it('is repeated with growing waits, whether refused or unanswered, and never given up', () => {
    const { instance, actions } = play(afterPivot(100));

    expect(instance).toMatchObject({ status: 'running' });
    expect(instance.run.runs[4]).toMatchObject({ phase: 'doing', attempt: 101 });
    expect(sends(actions)).toMatchObject([{ id: command(4, 'do', 101), command: new ConfirmOrder('4711', 'p1') }]);
    const waiting = play([...afterPivot(100), wake]);
    expect(waiting.actions).toMatchObject([{ kind: 'wake', at: waiting.now + 30_000 }]);
  });

  it('keeps the history short however often it is repeated', () => {
    expect(play(afterPivot(100)).instance.history.slice(-3)).toMatchObject([
      { step: 'confirm order', what: 'sent', times: 101 },
      { step: 'confirm order', what: 'timed-out', times: 50 },
      { step: 'confirm order', what: 'refused', times: 50 },
    ]);
  });

  it('succeeds with any reply of success, and maps the one it knows', () => {
    const definition = saga<PlaceOrderState>()
      .startsOn(OrderPlaced, ({ orderId, total }) => ({ orderId, total }))
      .pivot()
      .step('confirm order', (s) =>
        s
          .sends(({ orderId }) => new ConfirmOrder(orderId, 'none'))
          .onReply(OrderConfirmed, (state, { number }) => ({ ...state, payment: `n${number}` }))
          .untilDone(),
      )
      .named('place-order');

    const known = play([started, reply(command(1), new OrderConfirmed(7))], definition);
    expect(known.instance).toMatchObject({ status: 'completed', state: { payment: 'n7' } });
    const unknown = play([started, reply(command(1), new StockReserved('r'))], definition);
    expect(unknown.instance).toMatchObject({ status: 'completed', state: { orderId: '4711' } });
  });
});

describe('an instance', () => {
  it('survives storage as JSON at every point', () => {
    const { instance } = play(unknownPayment);

    expect(JSON.parse(JSON.stringify(instance))).toEqual(instance);
  });

  it('tells its whole story in its history', () => {
    const { history } = play([...rejecting, reply(command('end', 'do'), new OrderRejected('4711'))]).instance;

    expect(history.map(({ step, direction, what }) => `${step}: ${direction} ${what}`)).toEqual([
      'saga: do started',
      'reserve stock: do sent',
      'reserve stock: do done',
      'check credit: do sent',
      'check credit: do done',
      'take payment: do sent',
      'take payment: do refused',
      'reserve stock: undo sent',
      'reserve stock: undo done',
      'rejection: do sent',
      'rejection: do done',
      'saga: undo compensated',
    ]);
  });

  it('sends the command of the third step with what the start event said', () => {
    expect(sends(play(checked).actions)).toMatchObject([{ command: new CapturePayment('4711', 990) }]);
  });
});
