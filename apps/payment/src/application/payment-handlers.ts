import { Handles, NonRetryableError } from '@millrace/broker';
import { InjectRepository, Repository } from '@millrace/event-store';
import { Injectable } from '@nestjs/common';
import {
  Authorize,
  Authorized,
  Capture,
  Captured,
  CaptureFailed,
  Declined,
  Refund,
  Refunded,
  Void,
  Voided,
} from '@shop/contracts/payment';
import { Bank } from '../bank/bank.js';
import { Payment } from '../domain/payment.js';

/**
 * Asks the bank, and commits what it answered. When the process dies between the two, the command comes again and the
 * bank is asked with the same key: it acts once.
 */
@Injectable()
export class PaymentHandlers {
  constructor(
    @InjectRepository(Payment) private readonly payments: Repository<Payment>,
    private readonly bank: Bank,
  ) {}

  @Handles(Authorize)
  async authorize({ reference, amountMinor, ccy, method }: Authorize): Promise<Authorized | Declined> {
    const { status, closed, authorization, code } = await this.payments.load(reference);
    if (closed || status === 'voided' || status === 'refunded') return new Declined({ reference, code: 'closed' });
    if (status === 'declined') return new Declined({ reference, code });
    if (status !== 'new') return new Authorized({ reference, authorization });

    const answer = await this.bank.authorize(`authorize:${reference}`, { reference, amountMinor, ccy, method });
    if (!answer.approved) {
      await this.payments.change(reference, (payment) => payment.decline(answer.code));
      return new Declined({ reference, code: answer.code });
    }
    const made = { amountMinor, ccy, method, authorization: answer.authorization };
    await this.payments.change(reference, (payment) => payment.authorize(made));
    return new Authorized({ reference, authorization: answer.authorization });
  }

  @Handles(Capture)
  async capture({ reference }: Capture): Promise<Captured | CaptureFailed> {
    const { status, closed, method } = await this.payments.load(reference);
    if (status === 'captured') return new Captured({ reference });
    if (closed || status !== 'authorized') return this.refuseCapture(reference, closed ? 'closed' : `is-${status}`);

    const answer = await this.bank.capture(`capture:${reference}`, { reference, method });
    if (!answer.captured) return this.refuseCapture(reference, answer.code);
    await this.payments.change(reference, (payment) => payment.capture(answer.amountMinor, answer.ccy));
    return new Captured({ reference });
  }

  @Handles(Void)
  async void({ reference }: Void): Promise<Voided> {
    const { status } = await this.payments.load(reference);
    if (status === 'captured') throw new NonRetryableError(`payment ${reference} is captured: refund it first`);
    if (status === 'new' || status === 'authorized') {
      // Also a payment that is new here may have reached the bank, when its command was given up half-way.
      await this.bank.void(`void:${reference}`, reference);
      await this.payments.change(reference, (payment) => (status === 'new' ? payment.close() : payment.void()));
    }
    return new Voided({ reference });
  }

  @Handles(Refund)
  async refund({ reference }: Refund): Promise<Refunded> {
    const { status } = await this.payments.load(reference);
    if (status === 'new' || status === 'authorized' || status === 'captured') {
      const amountMinor = await this.bank.refund(`refund:${reference}`, reference);
      const captured = status === 'captured';
      await this.payments.change(reference, (payment) => (captured ? payment.refund(amountMinor) : payment.close()));
    }
    return new Refunded({ reference });
  }

  private async refuseCapture(reference: string, code: string): Promise<CaptureFailed> {
    await this.payments.change(reference, (payment) => payment.refuseCapture(code));
    return new CaptureFailed({ reference, code });
  }
}
