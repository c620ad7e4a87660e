import { Handles } from '@millrace/broker';
import { InjectRepository, Repository } from '@millrace/event-store';
import { Injectable } from '@nestjs/common';
import { ConfirmDone, ConfirmOrder, RejectDone, RejectOrder } from '@shop/contracts/order';
import { Order } from '../domain/order.js';

/** Ends orders, when it is decided elsewhere how. */
@Injectable()
export class OrderHandlers {
  constructor(@InjectRepository(Order) private readonly orders: Repository<Order>) {}

  @Handles(ConfirmOrder)
  async confirm({ orderId }: ConfirmOrder): Promise<ConfirmDone> {
    await this.orders.change(orderId, (order) => order.confirm());
    return new ConfirmDone({ orderId });
  }

  @Handles(RejectOrder)
  async reject({ orderId, reason }: RejectOrder): Promise<RejectDone> {
    await this.orders.change(orderId, (order) => order.reject(reason));
    return new RejectDone({ orderId });
  }
}
