import { InjectView, ReadView } from '@millrace/event-store';
import { Controller, Get, Param } from '@nestjs/common';
import { ApiNotFoundResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Refusal, RefusedRequest } from '@shop/service';
import { ListedPayment, PaymentList } from '../read-model/payment-list.js';

const REFERENCE = /^[\w-]{1,128}$/;

@ApiTags('payments')
@Controller('payments')
export class PaymentsController {
  constructor(@InjectView(PaymentList) private readonly list: ReadView<ListedPayment>) {}

  @Get()
  @ApiOkResponse({ type: [ListedPayment] })
  all(): Promise<ListedPayment[]> {
    return this.list.list();
  }

  @Get(':reference')
  @ApiOkResponse({ type: ListedPayment })
  @ApiNotFoundResponse({ type: Refusal })
  async one(@Param('reference') reference: string): Promise<ListedPayment> {
    const payment = REFERENCE.test(reference) ? await this.list.get(reference) : undefined;
    if (!payment) throw new RefusedRequest(404, 'no such payment', [{ field: 'reference', reason: 'is unknown' }]);
    return payment;
  }
}
