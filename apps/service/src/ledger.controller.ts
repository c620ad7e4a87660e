import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Ledger } from './ledger.js';
import type { LedgerEntry } from './ledger.js';

@ApiTags('ledger')
@Controller('ledger')
export class LedgerController {
  constructor(private readonly ledger: Ledger) {}

  /** The service's whole feed. */
  @Get()
  async read(): Promise<{ entries: readonly LedgerEntry[] }> {
    return { entries: await this.ledger.entries() };
  }
}
