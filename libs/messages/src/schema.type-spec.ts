import { type } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';
import { Command, Event, Reply } from './contract.js';
import type { RepliesOf } from './contract.js';
import { Schema } from './schema.js';

const orderId = z.uuid();

@Event('order.placed', { key: 'orderId', version: 2 })
class OrderPlaced extends Schema(z.object({ orderId, total: z.int(), currency: z.string().default('EUR') })) {
  get free(): boolean {
    return this.total === 0;
  }
}

@Event('order.shipped', { key: 'orderId' })
class OrderShipped extends Schema(v.object({ orderId: v.string(), parcels: v.optional(v.number(), 1) })) {}

@Event('order.paid', { key: 'orderId' })
class OrderPaid extends Schema(type({ orderId: 'string', cents: 'number' })) {}

// The class has the fields that the schema makes, and is made from what the schema takes.
const placed: OrderPlaced = new OrderPlaced({ orderId: 'o-1', total: 1 });
const currency: string = placed.currency;
const parcels: number = new OrderShipped({ orderId: currency }).parcels;
new OrderPaid({ orderId: 'o-1', cents: parcels });

// @ts-expect-error -- a field is missing
new OrderPlaced({ orderId: 'o-1' });
// @ts-expect-error -- a field has another type
new OrderShipped({ orderId: 1 });
// @ts-expect-error -- a field has another type
new OrderPaid({ orderId: 'o-1', cents: '1' });
// @ts-expect-error -- there is no such field
void placed.customer;

// @ts-expect-error -- the key is no property of it
@Event('order.lost', { key: 'orderid' })
class OrderLost extends Schema(z.object({ orderId })) {}
void OrderLost;

// @ts-expect-error -- the key is no property of it, without a schema either
@Reply('order.gone', { key: 'orderid' })
class OrderGone {
  orderId!: string;
}
void OrderGone;

@Reply('order.done')
class Done extends Schema(z.object({ at: z.coerce.date() })) {}
@Reply('order.refused', { failure: true })
class Refused extends Schema(z.object({ reason: z.string() })) {}

@Command('order.place', { key: 'orderId', replies: [Done, Refused] })
class Place extends Schema(z.object({ orderId, total: z.int() }))<Done, Refused> {}

const place = new Place({ orderId: 'o-1', total: 1 });
const reply: RepliesOf<typeof place> = new Refused({ reason: place.orderId });
const day: Date = new Done({ at: '2026-01-01' }).at;
void [reply, day];

// @ts-expect-error -- a reply that is not listed
@Command('order.cancel', { replies: [Done] })
class Cancel extends Schema(z.object({ orderId }))<Done, Refused> {}
void Cancel;

// @ts-expect-error -- a listed reply that it does not have
@Command('order.change', { replies: [Done, Refused] })
class Change extends Command<Done> {}
void Change;

// @ts-expect-error -- what it makes is not what it takes, so the receiver could not read it
Schema(z.object({ total: z.string().transform(Number) }));
// @ts-expect-error -- data are an object
Schema(z.array(z.string()));
// @ts-expect-error -- data are an object
Schema(z.string());
