import { AsyncApiModule } from '@millrace/broker';
import { EventStoreCoreModule, EventStoreModule } from '@millrace/event-store';
import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { HealthController } from './health.controller.js';
import { Ledger } from './ledger.js';
import { OwnWrites } from './own-writes.js';

/** `GET /health`, `GET /asyncapi.json`, the ledger for whoever shows it, and views that show a caller what it has written. */
@Module({
  imports: [TerminusModule, EventStoreCoreModule, EventStoreModule.forFeature({}), AsyncApiModule.forRoot()],
  controllers: [HealthController],
  providers: [Ledger, OwnWrites],
  exports: [Ledger, OwnWrites],
})
export class ServiceModule {}
