import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Ledger } from '@shop/service';
import type { LedgerEntry } from '@shop/service';
import { Bank } from '../bank/bank.js';
import type { BankEntry } from '../bank/bank.js';

@ApiTags('ledger')
@Controller('ledger')
export class BankLedgerController {
  constructor(
    private readonly ledger: Ledger,
    private readonly bank: Bank,
  ) {}

  /** The service's whole feed, and beside it the bank's own book. */
  @Get()
  async read(): Promise<{ entries: readonly LedgerEntry[]; bank: readonly BankEntry[] }> {
    return { entries: await this.ledger.entries(), bank: this.bank.entries() };
  }
}
