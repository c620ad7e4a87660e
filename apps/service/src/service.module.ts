import { AsyncApiModule } from '@millrace/broker';
import { EventStoreCoreModule } from '@millrace/event-store';
import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { HealthController } from './health.controller.js';
import { Ledger } from './ledger.js';

/** `GET /health`, `GET /asyncapi.json`, and the ledger for whoever shows it. */
@Module({
  imports: [TerminusModule, EventStoreCoreModule, AsyncApiModule.forRoot()],
  controllers: [HealthController],
  providers: [Ledger],
  exports: [Ledger],
})
export class ServiceModule {}
