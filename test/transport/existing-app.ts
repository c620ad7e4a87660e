import { Controller, Inject, Injectable } from '@nestjs/common';
import { EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import type { ClientProxy } from '@nestjs/microservices';
import { firstValueFrom } from 'rxjs';

/** An application as it is written for `Transport.REDIS`: nothing here knows which transport it has. */

export interface Order {
  readonly id: string;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
}

const PRICES: Readonly<Record<string, number>> = { book: 1500, pen: 200 };

@Injectable()
export class Mailbox {
  readonly mails: string[] = [];
}

@Controller()
export class BillingController {
  constructor(@Inject(Mailbox) private readonly mailbox: Mailbox) {}

  @MessagePattern({ cmd: 'price' })
  price(@Payload() order: Order): number {
    return order.lines.reduce((sum, { sku, quantity }) => sum + PRICES[sku]! * quantity, 0);
  }

  @EventPattern('order.placed')
  async placed(@Payload() order: Order): Promise<void> {
    this.mailbox.mails.push(`thank you for ${order.id}: ${this.price(order)}`);
  }
}

export class Shop {
  constructor(private readonly billing: ClientProxy) {}

  async place(order: Order): Promise<number> {
    const total = await firstValueFrom(this.billing.send<number, Order>({ cmd: 'price' }, order));
    this.billing.emit<void, Order>('order.placed', order);
    return total;
  }
}
