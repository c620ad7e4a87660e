/** The code of docs/guides/integrity.md, region by region. The specs beside it compare, compile and run it. */

// #region chained
import { BrokerModule } from '@millrace/broker';
import { Aggregate, AggregateRoot, Apply, EventStoreModule } from '@millrace/event-store';
import { Event, Schema } from '@millrace/messages';
import { Module } from '@nestjs/common';
import { z } from 'zod';

@Event('bank.deposited')
export class Deposited extends Schema(z.object({ cents: z.number().int() })) {}

@Event('bank.audited')
export class Audited extends Schema(z.object({ by: z.string() })) {}

@Aggregate('account', { chain: true })
export class Account extends AggregateRoot {
  cents = 0;

  deposit(cents: number): void {
    this.record(new Deposited({ cents }));
  }

  @Apply(Deposited) protected deposited({ cents }: Deposited): void {
    this.cents += cents;
  }
}

@Module({
  imports: [
    BrokerModule.forRoot({ context: 'bank' }),
    EventStoreModule.forFeature({ aggregates: [Account], events: [Audited], chain: { audit: true } }),
  ],
})
export class BankModule {}
// #endregion

// #region verify
import { describeIntegrity, EventStore } from '@millrace/event-store';
import type { ChainHead } from '@millrace/event-store';
import { Injectable } from '@nestjs/common';

@Injectable()
export class Auditor {
  constructor(private readonly events: EventStore) {}

  /** @param head as this has answered it the last time, and you have kept it */
  async audit(account: string, head?: ChainHead): Promise<ChainHead> {
    const verified = await this.events.verify(`account-${account}`, head ? { head } : {});
    if (verified.status !== 'intact') throw new Error(describeIntegrity(verified));
    return verified.head;
  }

  async brokenOnes(): Promise<string[]> {
    const broken: string[] = [];
    for await (const verified of this.events.verifyAll({ category: 'account' })) {
      if (verified.status === 'broken') broken.push(describeIntegrity(verified));
    }
    return broken;
  }
}
// #endregion
