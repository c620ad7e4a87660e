import { InjectView, ReadView } from '@millrace/event-store';
import { Sagas } from '@millrace/saga';
import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiBadRequestResponse, ApiNotFoundResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Refusal, RefusedRequest } from '@shop/service';
import { PLACE_ORDER } from '../domain/place-order.js';
import { ListedSaga, SagaList } from '../read-model/saga-list.js';
import { SagaQuery } from './saga-query.js';
import { ShownSaga } from './shown-saga.js';

const ID = /^[\w-]{1,128}$/;

@ApiTags('sagas')
@Controller('sagas')
export class SagasController {
  constructor(
    private readonly sagas: Sagas,
    @InjectView(SagaList) private readonly list: ReadView<ListedSaga>,
  ) {}

  /** The newest first. */
  @Get()
  @ApiOkResponse({ type: [ListedSaga] })
  @ApiBadRequestResponse({ type: Refusal })
  async all(@Query() { status }: SagaQuery): Promise<ListedSaga[]> {
    const sagas = (await this.list.list()).filter((saga) => status === undefined || saga.status === status);
    return sagas.sort((a, b) => b.startedAt.localeCompare(a.startedAt));
  }

  /** As it is now, with its history. */
  @Get(':id')
  @ApiOkResponse({ type: ShownSaga })
  @ApiNotFoundResponse({ type: Refusal })
  async one(@Param('id') orderId: string): Promise<ShownSaga> {
    const instance = ID.test(orderId) ? await this.sagas.find(PLACE_ORDER, orderId) : undefined;
    if (!instance) throw new RefusedRequest(404, 'no such saga', [{ field: 'id', reason: 'is unknown' }]);
    const { id, saga, status, failure, history } = instance;
    return { id, saga, status, ...(failure ? { reason: failure.reason } : {}), history };
  }
}
