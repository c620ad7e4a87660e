import { InjectView, ReadView } from '@millrace/event-store';
import { Body, Controller, Get, Headers, Param, Post, Query } from '@nestjs/common';
import {
  ApiBadRequestResponse,
  ApiCreatedResponse,
  ApiHeader,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiTags,
  ApiUnprocessableEntityResponse,
} from '@nestjs/swagger';
import { OwnWrites, Refusal, RefusedRequest } from '@shop/service';
import { validate as isUuid } from 'uuid';
import { OrderDesk } from '../application/order-desk.js';
import { ListedOrder } from '../read-model/listed-order.js';
import { OrderList } from '../read-model/order-list.js';
import type { orderIndexes } from '../read-model/order-list.js';
import { AcceptedOrder, NewOrder } from './new-order.js';
import { OrderQuery } from './order-query.js';

@ApiTags('orders')
@Controller('orders')
export class OrdersController {
  constructor(
    private readonly desk: OrderDesk,
    @InjectView(OrderList) private readonly list: ReadView<ListedOrder, typeof orderIndexes>,
    private readonly own: OwnWrites,
  ) {}

  /** Accepts an order. Whether it is confirmed or rejected is decided afterwards. */
  @Post()
  @ApiHeader({ name: 'Idempotency-Key', required: false, description: '1 to 128 characters' })
  @ApiCreatedResponse({ type: AcceptedOrder, description: 'also when the same key has placed the same order before' })
  @ApiBadRequestResponse({ type: Refusal })
  @ApiUnprocessableEntityResponse({ type: Refusal })
  async place(@Body() body: NewOrder, @Headers('idempotency-key') key?: string): Promise<AcceptedOrder> {
    if (key !== undefined && (key.length < 1 || key.length > 128)) {
      const errors = [{ field: 'Idempotency-Key', reason: 'must be 1 to 128 characters' }];
      throw new RefusedRequest(400, 'the request is not valid', errors);
    }
    const { id, status, placedAs } = await this.desk.place(body, key);
    return { orderId: id, status, total: placedAs!.total };
  }

  /** The newest orders. */
  @Get()
  @ApiOkResponse({ type: [ListedOrder] })
  @ApiBadRequestResponse({ type: Refusal })
  async all(@Query() { status, limit }: OrderQuery): Promise<readonly ListedOrder[]> {
    const of = status ?? 'all';
    // What begins with `of` and a blank: "!" is the next character.
    const newest = { index: 'placed', from: `${of} `, to: `${of}!`, backwards: true, limit } as const;
    const { rows } = await this.own.list(OrderList, () => this.list.list(newest));
    return rows;
  }

  @Get(':id')
  @ApiOkResponse({ type: ListedOrder })
  @ApiNotFoundResponse({ type: Refusal })
  async one(@Param('id') id: string): Promise<ListedOrder> {
    const order = isUuid(id) ? await this.own.find(OrderList, () => this.list.get(id)) : undefined;
    if (!order) throw new RefusedRequest(404, 'no such order', [{ field: 'id', reason: 'is unknown' }]);
    return order;
  }
}
