import { EventStoreCoreModule } from '@millrace/event-store';
import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { HealthController } from './health.controller.js';
import { Ledger } from './ledger.js';

/** `GET /health`, and the ledger for whoever shows it. */
@Module({
  imports: [TerminusModule, EventStoreCoreModule],
  controllers: [HealthController],
  providers: [Ledger],
  exports: [Ledger],
})
export class ServiceModule {}
