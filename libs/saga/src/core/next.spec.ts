import { NonRetryableError } from '@millrace/broker';
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

const started = { kind: 'start', id: '4711', event: new OrderPlaced('4711', 990) } as const;
const command = (step: number, direction: Direction, attempt = 1) =>
  formatCommandId({ saga: 'place-order', id: '4711', step, direction, attempt });
const reply = (inReplyTo: string, data: object): SagaInput => {
  const { type, failure } = contractOf(data);
  return { kind: 'reply', inReplyTo, outcome: failure ? 'failure' : 'success', type, data };
};
const deadline = (commandId: string): SagaInput => ({ kind: 'deadline', commandId });
const retry = (commandId: string): SagaInput => ({ kind: 'retry', commandId });

/** Plays inputs at 0, 1000, 2000, ... ms; each has to move the saga. Answers what the last one did. */
function play(inputs: readonly SagaInput[], definition = placeOrder) {
  let instance: Instance | undefined;
  let actions: readonly SagaAction[] = [];
  inputs.forEach((input, index) => {
    const transition = next(definition, instance, input, { now: index * 1000 });
    if (transition.outcome === 'ignored') throw new Error(`input ${index} was ignored: ${transition.reason}`);
    ({ instance, actions } = transition);
  });
  return { instance: instance!, actions, now: (inputs.length - 1) * 1000 };
}

function reasonToIgnore(inputs: readonly SagaInput[], input: SagaInput): string {
  const instance = inputs.length === 0 ? undefined : play(inputs).instance;
  const transition = next(placeOrder, instance, input, { now: 0 });
  return transition.outcome === 'ignored' ? transition.reason : 'it was not ignored';
}

const sends = (actions: readonly SagaAction[]) => actions.filter((action) => action.kind === 'send');
const records = (actions: readonly SagaAction[]) => actions.filter((action) => action.kind === 'record');

const reserved = [started, reply(command(0, 'do'), new StockReserved('r1'))];
const checked = [...reserved, reply(command(1, 'do'), new CreditChecked('A'))];
const captured = [...checked, reply(command(2, 'do'), new PaymentCaptured('p1'))];
const declined = [...checked, reply(command(2, 'do'), new PaymentDeclined('expired'))];
const rejecting = [...declined, reply(command(0, 'undo'), new StockReleased('4711'))];
const unknownPayment = [...checked, deadline(command(2, 'do'))];

describe('a start event', () => {
  it('stores the first state, sends the first command with its deadline, and is recorded', () => {
    const { instance, actions } = play([started]);

    expect(instance).toEqual({
      saga: 'place-order',
      id: '4711',
      correlationid: '4711',
      status: 'running',
      step: 0,
      state: { orderId: '4711', total: 990 },
      pending: { id: 'place-order/4711/0/do/1', attempt: 1, waiting: false },
      history: [{ step: 'reserve stock', direction: 'do', what: 'sent', at: 0, times: 1 }],
      startedAt: 0,
    });
    expect(actions).toEqual([
      { kind: 'record', event: new SagaStarted('place-order', '4711', '1970-01-01T00:00:00.000Z') },
      { kind: 'send', id: 'place-order/4711/0/do/1', command: new ReserveStock('4711') },
      { kind: 'deadline', commandId: 'place-order/4711/0/do/1', at: 10_000 },
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
      { kind: 'send', id: command(1, 'do'), command: new CheckCredit('4711', 990) },
      { kind: 'deadline', commandId: command(1, 'do'), at: 31_000 },
    ]);
  });

  it('leaves the state as it is when its handler has no mapper', () => {
    expect(play(checked).instance.state).toEqual(play(reserved).instance.state);
  });

  it('to the last step completes the saga', () => {
    const { instance, actions } = play([...captured, reply(command(3, 'do'), new OrderConfirmed(1))]);

    expect(instance.status).toBe('completed');
    expect(instance.pending).toBeUndefined();
    expect(actions).toEqual([
      { kind: 'cancel-timer' },
      { kind: 'record', event: new SagaEnded('place-order', '4711', 'completed', '1970-01-01T00:00:04.000Z') },
    ]);
  });

  it('to an earlier attempt of the step counts', () => {
    const { instance } = play([
      started,
      deadline(command(0, 'do')),
      reply(command(0, 'do', 1), new StockReserved('late')),
    ]);

    expect(instance).toMatchObject({ step: 1, state: { reservation: 'late' } });
  });
});

describe('a refusal', () => {
  it('turns the saga round with its reason and undoes the steps before it', () => {
    const { instance, actions } = play(declined);

    expect(instance).toMatchObject({
      status: 'compensating',
      step: 0,
      failure: { step: 'take payment', reason: 'payment.declined' },
    });
    expect(actions).toEqual([
      {
        kind: 'record',
        event: new SagaTurned('place-order', '4711', 'take payment', 'payment.declined', '1970-01-01T00:00:03.000Z'),
      },
      { kind: 'send', id: command(0, 'undo'), command: new ReleaseStock('4711') },
      { kind: 'deadline', commandId: command(0, 'undo'), at: 13_000 },
    ]);
  });

  it('of the first step has nothing to undo', () => {
    const { instance, actions } = play([started, reply(command(0, 'do'), new OutOfStock('tea'))]);

    expect(instance).toMatchObject({ status: 'rejecting', failure: { reason: 'no tea left' } });
    expect(sends(actions)).toEqual([
      { kind: 'send', id: command(0, 'end'), command: new RejectOrder('4711', 'no tea left') },
    ]);
  });

  it('of a later attempt undoes this step too, since an earlier attempt may have done it', () => {
    const { instance, actions } = play([
      started,
      deadline(command(0, 'do')),
      reply(command(0, 'do', 2), new OutOfStock('tea')),
    ]);

    expect(instance.status).toBe('compensating');
    expect(sends(actions)).toMatchObject([{ command: new ReleaseStock('4711') }]);
  });

  it('of an earlier attempt is ignored, since a later attempt may still do the step', () => {
    expect(
      reasonToIgnore([started, deadline(command(0, 'do'))], reply(command(0, 'do', 1), new OutOfStock('tea'))),
    ).toBe('this attempt was given up before');
  });
});

describe('a deadline', () => {
  it('sends the command again under the next attempt, while retries are left', () => {
    const { instance, actions, now } = play([started, deadline(command(0, 'do'))]);

    expect(instance.pending).toEqual({ id: command(0, 'do', 2), attempt: 2, waiting: false });
    expect(actions).toEqual([
      { kind: 'send', id: command(0, 'do', 2), command: new ReserveStock('4711') },
      { kind: 'deadline', commandId: command(0, 'do', 2), at: now + 10_000 },
    ]);
  });

  it('of the last attempt gives the step up and undoes it first, since its outcome is unknown', () => {
    const { instance, actions } = play(unknownPayment);

    expect(instance).toMatchObject({
      status: 'compensating',
      step: 2,
      failure: { step: 'take payment', reason: 'no answer within 30000 ms, 1 attempt' },
    });
    expect(sends(actions)).toMatchObject([{ command: new RefundPayment('4711') }]);
  });

  it('counts attempts in the reason', () => {
    const attempts = [1, 2, 3].map((attempt) => deadline(command(0, 'do', attempt)));

    expect(play([started, ...attempts]).instance.failure?.reason).toBe('no answer within 10000 ms, 3 attempts');
  });

  it('of another command than the one in hand is ignored', () => {
    expect(reasonToIgnore(reserved, deadline(command(0, 'do')))).toMatch('not being waited for');
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
    ['the end of a wait that is none', [started], retry(command(0, 'do'))],
  ];

  it.each(cases)('is ignored with a reason: %s', (_, before, input) => {
    expect(reasonToIgnore(before, input)).not.toBe('it was not ignored');
  });

  it('is ignored when the saga has ended', () => {
    const ended = [...rejecting, reply(command(0, 'end'), new OrderRejected('4711'))];

    expect(reasonToIgnore(ended, reply(command(0, 'end'), new OrderRejected('4711')))).toBe('this saga is compensated');
    expect(reasonToIgnore(ended, deadline(command(0, 'end')))).toBe('this saga is compensated');
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
        id: command(0, 'end'),
        command: new RejectOrder('4711', 'no answer within 30000 ms, 1 attempt'),
      },
    ]);
  });

  it('waits longer after every failure, refused or unanswered', () => {
    const once = [...unknownPayment, reply(command(2, 'undo'), new NotRefundable('too soon'))];
    const first = play(once);
    expect(first.instance.pending).toEqual({ id: command(2, 'undo'), attempt: 1, waiting: true });
    expect(first.actions).toEqual([{ kind: 'retry', commandId: command(2, 'undo'), at: first.now + 100 }]);

    const twice = [...once, retry(command(2, 'undo'))];
    const second = play(twice);
    expect(second.actions).toEqual([
      { kind: 'send', id: command(2, 'undo', 2), command: new RefundPayment('4711') },
      { kind: 'deadline', commandId: command(2, 'undo', 2), at: second.now + 5000 },
    ]);

    const third = play([...twice, deadline(command(2, 'undo', 2))]);
    expect(third.actions).toEqual([{ kind: 'retry', commandId: command(2, 'undo', 2), at: third.now + 200 }]);
  });

  it('ignores a second failure of the same attempt while it waits', () => {
    const failed = [...unknownPayment, deadline(command(2, 'undo'))];

    expect(reasonToIgnore(failed, reply(command(2, 'undo'), new NotRefundable('late')))).toMatch('given up before');
    expect(reasonToIgnore(failed, deadline(command(2, 'undo')))).toMatch('not being waited for');
  });

  it('takes a success that comes while it waits', () => {
    const { instance } = play([
      ...unknownPayment,
      deadline(command(2, 'undo')),
      reply(command(2, 'undo'), new PaymentRefunded('f1')),
    ]);

    expect(instance).toMatchObject({ status: 'compensating', step: 0 });
  });

  it('that fails in every attempt parks the saga for a person', () => {
    const { instance, actions } = play([
      ...unknownPayment,
      deadline(command(2, 'undo', 1)),
      retry(command(2, 'undo', 1)),
      deadline(command(2, 'undo', 2)),
      retry(command(2, 'undo', 2)),
      reply(command(2, 'undo', 3), new NotRefundable('account closed')),
    ]);

    expect(instance).toMatchObject({ status: 'parked', failure: { step: 'take payment' } });
    expect(instance.pending).toBeUndefined();
    expect(records(actions)).toMatchObject([
      { event: { step: 'take payment', reason: 'refused with payment.not-refundable, 3 attempts' } },
    ]);
    expect(records(actions)[0]!.event).toBeInstanceOf(SagaParked);
  });

  it('ends the saga at once when nobody has to be told', () => {
    const { instance, actions } = play([started, reply(command(0, 'do'), new OutOfStock('tea'))], {
      ...placeOrder,
      onCompensated: undefined,
    });

    expect(instance.status).toBe('compensated');
    expect(records(actions).map(({ event }) => event.constructor.name)).toEqual(['SagaTurned', 'SagaEnded']);
  });
});

describe('the command after compensation', () => {
  it('ends the saga with its success', () => {
    const { instance, actions } = play([...rejecting, reply(command(0, 'end'), new OrderRejected('4711'))]);

    expect(instance.status).toBe('compensated');
    expect(records(actions)).toMatchObject([{ event: { outcome: 'compensated' } }]);
  });

  it('is sent again until it succeeds', () => {
    const again = [...rejecting, deadline(command(0, 'end')), retry(command(0, 'end'))];

    expect(sends(play(again).actions)).toMatchObject([{ id: command(0, 'end', 2) }]);
  });
});

describe('a step after the pivot', () => {
  const afterPivot = (attempts: number): SagaInput[] => {
    const inputs: SagaInput[] = [...captured];
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const id = command(3, 'do', attempt);
      const refusal = reply(id, new PaymentDeclined('not now'));
      inputs.push(attempt % 2 === 0 ? refusal : deadline(id), retry(id));
    }
    return inputs;
  };

  it('is repeated with growing waits, whether refused or unanswered, and never given up', () => {
    const { instance, actions } = play(afterPivot(100));

    expect(instance).toMatchObject({ status: 'running', pending: { attempt: 101 } });
    expect(sends(actions)).toMatchObject([{ id: command(3, 'do', 101), command: new ConfirmOrder('4711', 'p1') }]);
    const waiting = play([...afterPivot(100), deadline(command(3, 'do', 101))]);
    expect(waiting.actions).toMatchObject([{ kind: 'retry', at: waiting.now + 30_000 }]);
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

    const known = play([started, reply(command(0, 'do'), new OrderConfirmed(7))], definition);
    expect(known.instance).toMatchObject({ status: 'completed', state: { payment: 'n7' } });
    const unknown = play([started, reply(command(0, 'do'), new StockReserved('r'))], definition);
    expect(unknown.instance).toMatchObject({ status: 'completed', state: { orderId: '4711' } });
  });
});

describe('an instance', () => {
  it('survives storage as JSON at every point', () => {
    const { instance } = play(unknownPayment);

    expect(JSON.parse(JSON.stringify(instance))).toEqual(instance);
  });

  it('of a definition that has lost its step is not retried', () => {
    const { instance } = play(captured);
    const shorter = { ...placeOrder, steps: placeOrder.steps.slice(0, 2) };

    expect(() => next(shorter, instance, deadline(command(3, 'do')), { now: 0 })).toThrow(NonRetryableError);
  });

  it('tells its whole story in its history', () => {
    const { history } = play([...rejecting, reply(command(0, 'end'), new OrderRejected('4711'))]).instance;

    expect(history.map(({ step, direction, what }) => `${step}: ${direction} ${what}`)).toEqual([
      'reserve stock: do sent',
      'reserve stock: do done',
      'check credit: do sent',
      'check credit: do done',
      'take payment: do sent',
      'take payment: do refused',
      'reserve stock: undo sent',
      'reserve stock: undo done',
      'rejection: end sent',
      'rejection: end done',
    ]);
  });

  it('sends the command of the third step with what the start event said', () => {
    expect(sends(play(checked).actions)).toMatchObject([{ command: new CapturePayment('4711', 990) }]);
  });
});
