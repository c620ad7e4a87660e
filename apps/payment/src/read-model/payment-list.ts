import { Projection, Projects } from '@millrace/event-store';
import type { View } from '@millrace/event-store';
import { ApiProperty } from '@nestjs/swagger';
import {
  AuthorizationDeclined,
  AuthorizationMade,
  AuthorizationVoided,
  CaptureRefused,
  ChargeCaptured,
  ChargeRefunded,
  PaymentClosed,
} from '@shop/contracts/payment';

const STATUSES = ['authorized', 'declined', 'captured', 'capture-refused', 'voided', 'refunded', 'closed'] as const;

/** A payment as it is shown. */
export class ListedPayment {
  @ApiProperty() reference!: string;
  @ApiProperty({ enum: STATUSES }) status!: (typeof STATUSES)[number];
  @ApiProperty({ required: false }) amountMinor?: number;
  @ApiProperty({ required: false }) ccy?: string;
  @ApiProperty({ required: false }) method?: string;
  /** Why it was declined or refused. */
  @ApiProperty({ required: false }) code?: string;
}

type Rows = View<ListedPayment>;

@Projection('payments')
export class PaymentList {
  @Projects(AuthorizationMade)
  authorized({ reference, amountMinor, ccy, method }: AuthorizationMade, view: Rows): void {
    view.put(reference, { reference, status: 'authorized', amountMinor, ccy, method });
  }

  @Projects(AuthorizationDeclined)
  declined({ reference, code }: AuthorizationDeclined, view: Rows): void {
    view.put(reference, { reference, status: 'declined', code });
  }

  @Projects(ChargeCaptured)
  captured({ reference }: ChargeCaptured, view: Rows): Promise<void> {
    return become(view, { reference, status: 'captured' });
  }

  @Projects(CaptureRefused)
  captureRefused({ reference, code }: CaptureRefused, view: Rows): Promise<void> {
    return become(view, { reference, status: 'capture-refused', code });
  }

  @Projects(AuthorizationVoided)
  voided({ reference }: AuthorizationVoided, view: Rows): Promise<void> {
    return become(view, { reference, status: 'voided' });
  }

  @Projects(ChargeRefunded)
  refunded({ reference }: ChargeRefunded, view: Rows): Promise<void> {
    return become(view, { reference, status: 'refunded' });
  }

  @Projects(PaymentClosed)
  closed({ reference }: PaymentClosed, view: Rows): Promise<void> {
    return become(view, { reference, status: 'closed' });
  }
}

function become(view: Rows, change: ListedPayment): Promise<void> {
  return view.update(change.reference, (payment) => ({ ...payment, ...change }));
}
