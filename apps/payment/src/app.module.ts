import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BrokerModule } from '@millrace/broker';
import { EventStoreModule } from '@millrace/event-store';
import { Module } from '@nestjs/common';
import type { DynamicModule, INestApplication } from '@nestjs/common';
import { PARTITIONS } from '@shop/contracts/contexts';
import { createService, placeOf, ServiceModule } from '@shop/service';
import type { ServiceOptions } from '@shop/service';
import { PaymentHandlers } from './application/payment-handlers.js';
import { Bank } from './bank/bank.js';
import { FileBank } from './bank/file-bank.js';
import { Payment } from './domain/payment.js';
import { BankLedgerController } from './http/bank-ledger.controller.js';
import { PaymentsController } from './http/payments.controller.js';
import { PaymentList } from './read-model/payment-list.js';

export interface PaymentOptions extends ServiceOptions {
  /** The file with the simulated bank's book. Default: one for this namespace in the system's temporary folder. */
  readonly bankLedger?: string;
}

/** Payments, and the bank behind them. */
@Module({
  imports: [EventStoreModule.forFeature({ aggregates: [Payment], projections: [PaymentList] }), ServiceModule],
  controllers: [PaymentsController, BankLedgerController],
  providers: [PaymentHandlers],
})
export class PaymentModule {
  static forRoot(options: PaymentOptions): DynamicModule {
    const { bankLedger = join(tmpdir(), `bank-of-${options.namespace ?? 'millrace'}.ndjson`) } = options;
    return {
      module: PaymentModule,
      imports: [BrokerModule.forRoot({ context: 'payment', partitions: PARTITIONS, ...placeOf(options) })],
      providers: [{ provide: Bank, useFactory: () => new FileBank(bankLedger) }],
    };
  }
}

/** The payment service, ready to `listen()`. */
export function createApp(options: PaymentOptions = {}): Promise<INestApplication> {
  return createService('payment', PaymentModule.forRoot(options), options);
}
