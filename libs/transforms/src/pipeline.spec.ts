import { Command, envelope, Event, Reply } from '@millrace/messages';
import type { Envelope } from '@millrace/messages';
import { IsInt, IsString } from 'class-validator';
import { pipeline } from './pipeline.js';
import { TransformError } from './transform-error.js';
import { translate } from './translate.js';
import { upcast } from './versions.js';

@Command('place-order.take-payment')
class TakePayment {
  @IsString() orderId!: string;
  @IsInt() total!: number;
}

@Command('payment.authorize', { version: 2 })
class Authorize {
  @IsString() reference!: string;
  @IsInt() amountMinor!: number;
}

@Reply('payment.declined', { failure: true })
class Declined {}

@Event('order.placed', { version: 3 })
class OrderPlaced {
  @IsString() id!: string;
}

const message = (type: string, data: object, more: Partial<Envelope> = {}): Envelope =>
  envelope({ source: '/x', type, data, ...more });
const pay = translate(TakePayment, Authorize, ({ orderId, total }) => ({ reference: orderId, amountMinor: total }));
const paid = message('place-order.take-payment', { orderId: 'o-1', total: 990 }, { schemaversion: 1, subject: 's' });

describe('a translation', () => {
  it('gives a message another type and data, and keeps the rest', () => {
    const { schemaversion: _, ...rest } = paid;
    const translated = pipeline([pay])(paid);
    expect(translated).toEqual({
      ...rest,
      type: 'payment.authorize',
      schemaversion: 2,
      data: { reference: 'o-1', amountMinor: 990 },
    });
    expect(translated.data).toBeInstanceOf(Authorize);
  });

  it('gives the key of its target to a message that has none', () => {
    @Command('payment.open', { key: 'reference' })
    class Open {
      @IsString() reference!: string;
    }
    const open = pipeline([translate(TakePayment, Open, ({ orderId }) => ({ reference: orderId }))]);
    expect(open(paid).partitionkey).toBe('o-1');
    expect(open({ ...paid, partitionkey: 'own' }).partitionkey).toBe('own');
  });

  it('sets the outcome that its target declares', () => {
    const refuse = translate(TakePayment, Declined, () => new Declined());
    expect(pipeline([refuse])(paid).outcome).toBe('failure');
    const back = translate(Declined, TakePayment, () => ({ orderId: 'o', total: 1 }));
    expect(pipeline([back])(message('payment.declined', {}, { outcome: 'failure' }))).not.toHaveProperty('outcome');
  });

  it('takes an instance as it is, and checks data', () => {
    const data = Object.assign(new TakePayment(), { orderId: 'o-2', total: 5 });
    expect(pipeline([pay])({ ...paid, data }).data).toEqual({ reference: 'o-2', amountMinor: 5 });
    expect(() => pipeline([pay])({ ...paid, data: { orderId: 7 } })).toThrow(/orderId must be a string/);
  });

  it('refuses a result that breaks the contract of its target', () => {
    const broken = translate(TakePayment, Authorize, () => ({ reference: 'x' }) as Authorize);
    expect(() => pipeline([broken])(paid)).toThrow(/amountMinor must be an integer/);
  });

  it('leaves other types alone', () => {
    const other = message('order.placed', {});
    expect(pipeline([pay])(other)).toBe(other);
    expect(pipeline([])(paid)).toBe(paid);
  });
});

describe('upcasts', () => {
  const first = upcast(OrderPlaced, { from: 1, to: 2 }, ({ name }: { name: string }) => ({ no: name }));
  const second = upcast(OrderPlaced, { from: 2, to: 3 }, ({ no }: { no: string }) => ({ id: no }));
  const current = pipeline([first, second]);

  it('lead from the first version to the current one, one step after the other', () => {
    expect(current(message('order.placed', { name: 'a' }))).toMatchObject({ schemaversion: 3, data: { id: 'a' } });
    expect(current(message('order.placed', { name: 'a' }, { schemaversion: 1 }))).toMatchObject({ data: { id: 'a' } });
  });

  it('begin where the message is', () => {
    expect(current(message('order.placed', { no: 'b' }, { schemaversion: 2 })).data).toEqual({ id: 'b' });
    const newest = message('order.placed', { id: 'c' }, { schemaversion: 3 });
    expect(current(newest)).toBe(newest);
  });
});

describe('a pipeline', () => {
  const back = translate(Authorize, TakePayment, ({ reference, amountMinor }) => ({
    orderId: reference,
    total: amountMinor,
  }));

  it('applies each transform once, in order: opposite translations cannot circle', () => {
    expect(pipeline([pay, back])(paid).type).toBe('place-order.take-payment');
    expect(pipeline([back, pay])(paid).type).toBe('payment.authorize');
  });

  it('names the transform that threw', () => {
    const broken = translate(TakePayment, Authorize, () => {
      throw new Error('no rate for EUR');
    });
    const failing = () => pipeline([broken])(paid);
    expect(failing).toThrow(TransformError);
    expect(failing).toThrow('translate place-order.take-payment -> payment.authorize (step 1): no rate for EUR');
    expect(failing).toThrow(expect.objectContaining({ code: 'transform-failed', transform: broken.name }));
    const odd = upcast(OrderPlaced, { from: 1, to: 2 }, () => {
      throw 'a text';
    });
    expect(() => pipeline([odd])(message('order.placed', {}))).toThrow('upcast order.placed 1 -> 2 (step 1): a text');
  });
});
