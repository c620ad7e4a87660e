import { InvalidCursorError } from '@millrace/broker';
import { SAGA_STATUSES, Sagas } from '@millrace/saga';
import type { SagaStatus } from '@millrace/saga';
import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiBadRequestResponse, ApiNotFoundResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Refusal, RefusedRequest } from '@shop/service';
import { PlaceOrder } from '../domain/place-order.js';
import { SagaQuery } from './saga-query.js';
import { listed, SagaPage, ShownSaga } from './shown-saga.js';

const ID = /^[\w-]{1,128}$/;
const COUNTS = Object.fromEntries(SAGA_STATUSES.map((status) => [status, { type: 'integer' }]));

@ApiTags('sagas')
@Controller('sagas')
export class SagasController {
  constructor(private readonly sagas: Sagas) {}

  /** A page of them, the newest first. */
  @Get()
  @ApiOkResponse({ type: SagaPage })
  @ApiBadRequestResponse({ type: Refusal })
  async all(@Query() query: SagaQuery): Promise<SagaPage> {
    const { sagas, cursor } = await this.page(query);
    return { sagas: sagas.map(listed), ...(cursor === undefined ? {} : { cursor }) };
  }

  /** How many there are of each status. */
  @Get('counts')
  @ApiOkResponse({ schema: { type: 'object', properties: COUNTS } })
  counts(): Promise<Readonly<Record<SagaStatus, number>>> {
    return this.sagas.count(PlaceOrder);
  }

  /** As it is now, with its history. */
  @Get(':id')
  @ApiOkResponse({ type: ShownSaga })
  @ApiNotFoundResponse({ type: Refusal })
  async one(@Param('id') id: string): Promise<ShownSaga> {
    const instance = ID.test(id) ? await this.sagas.find(PlaceOrder, id) : undefined;
    const history = instance && (await this.sagas.history(PlaceOrder, id));
    if (!instance || !history) throw new RefusedRequest(404, 'no such saga', [{ field: 'id', reason: 'is unknown' }]);
    return { ...listed(instance), history };
  }

  private async page({ status, limit, cursor }: SagaQuery) {
    try {
      return await this.sagas.list({ saga: PlaceOrder, ...(status ? { status } : {}), limit, cursor });
    } catch (error) {
      if (!(error instanceof InvalidCursorError)) throw error;
      throw new RefusedRequest(400, 'the request is not valid', [{ field: 'cursor', reason: 'is not of this list' }]);
    }
  }
}
