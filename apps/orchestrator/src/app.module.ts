import { BrokerModule } from '@millrace/broker';
import { EventStoreModule } from '@millrace/event-store';
import { SagaEnded, SagaModule, SagaParked, SagaStarted, SagaTurned } from '@millrace/saga';
import { Module } from '@nestjs/common';
import type { DynamicModule, INestApplication } from '@nestjs/common';
import { PARTITIONS } from '@shop/contracts/contexts';
import { createService, LedgerController, placeOf, ServiceModule } from '@shop/service';
import type { ServiceOptions } from '@shop/service';
import { fromPayment, toPayment } from './domain/payment-boundary.js';
import { PLACE_ORDER, PlaceOrder } from './domain/place-order.js';
import { SagasController } from './http/sagas.controller.js';

/** Hosts the place-order saga, and shows how each one goes. */
@Module({
  imports: [
    BrokerModule.forFeature({ outbound: toPayment, inbound: fromPayment }),
    SagaModule.forFeature([PlaceOrder]),
    // The feed has nothing else: the ledger reads them.
    EventStoreModule.forFeature({ events: [SagaStarted, SagaTurned, SagaEnded, SagaParked] }),
    ServiceModule,
  ],
  controllers: [SagasController, LedgerController],
})
export class OrchestratorModule {
  static forRoot(options: ServiceOptions): DynamicModule {
    const settings = { context: PLACE_ORDER, partitions: PARTITIONS, ...placeOf(options) };
    return { module: OrchestratorModule, imports: [BrokerModule.forRoot(settings)] };
  }
}

/** The orchestrator service, ready to `listen()`. */
export function createApp(options: ServiceOptions = {}): Promise<INestApplication> {
  return createService('orchestrator', OrchestratorModule.forRoot(options), options);
}
