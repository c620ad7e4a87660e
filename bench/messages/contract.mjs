import 'reflect-metadata';
import { Type } from 'class-transformer';
import {
  ArrayNotEmpty,
  IsInt,
  IsISO4217CurrencyCode,
  IsNotEmpty,
  IsString,
  Min,
  ValidateNested,
} from 'class-validator';
import { Event } from '@millrace/messages';

/** The decorators of a TypeScript class, applied by hand: this file runs as it is. */
function decorate(target, property, ...decorators) {
  for (const decorator of decorators) decorator(target.prototype, property);
}

class Line {}
decorate(Line, 'sku', IsString(), IsNotEmpty());
decorate(Line, 'quantity', IsInt(), Min(1));
decorate(Line, 'unitPrice', IsInt(), Min(0));

export class OrderPlaced {
  constructor(data) {
    Object.assign(this, data);
  }
}
decorate(OrderPlaced, 'orderId', IsString(), IsNotEmpty());
decorate(OrderPlaced, 'customerId', IsString(), IsNotEmpty());
decorate(
  OrderPlaced,
  'lines',
  ArrayNotEmpty(),
  ValidateNested({ each: true }),
  Type(() => Line),
);
decorate(OrderPlaced, 'total', IsInt(), Min(0));
decorate(OrderPlaced, 'currency', IsISO4217CurrencyCode());
decorate(OrderPlaced, 'note', IsString());
Event('bench.order-placed', { key: 'orderId' })(OrderPlaced);

export function orderPlaced(data) {
  const event = new OrderPlaced(data);
  event.lines = data.lines.map((line) => Object.assign(new Line(), line));
  return event;
}
