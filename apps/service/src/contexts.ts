import { Broker } from '@millrace/broker';
import { Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { PARTITIONS } from '@shop/contracts/contexts';

/** Creates the contexts of the shop that nobody has created yet, before anything is consumed from them. */
@Injectable()
export class Contexts implements OnModuleInit {
  constructor(private readonly broker: Broker) {}

  async onModuleInit(): Promise<void> {
    for (const [context, partitions] of Object.entries(PARTITIONS)) {
      await this.broker.store.declareContext(context, partitions);
    }
  }
}
