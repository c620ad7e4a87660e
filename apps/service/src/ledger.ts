import { Broker } from '@millrace/broker';
import type { Entry } from '@millrace/broker';
import { decode } from '@millrace/messages';
import { Injectable } from '@nestjs/common';

/** One event of the service's feed, for auditors. */
export interface LedgerEntry {
  readonly partition: number;
  readonly position: number;
  readonly type: string;
  readonly subject?: string | undefined;
  readonly time?: string | undefined;
  readonly id: string;
  readonly causationid?: string | undefined;
  readonly correlationid?: string | undefined;
  readonly data: unknown;
}

const PAGE = 1_000;

/** Everything the service has ever written, as it stands in its feed. */
@Injectable()
export class Ledger {
  constructor(private readonly broker: Broker) {}

  async entries(): Promise<LedgerEntry[]> {
    const all: LedgerEntry[] = [];
    for (let index = 0; index < this.broker.partitions; index++) {
      for (let page = await this.page(index, 0); page.length > 0; page = await this.page(index, all.at(-1)!.position)) {
        all.push(...page.map(ledgerEntry));
      }
    }
    return all;
  }

  private page(index: number, after: number): Promise<readonly Entry[]> {
    return this.broker.store.readFeed({ context: this.broker.context, index }, after, PAGE);
  }
}

function ledgerEntry(entry: Entry): LedgerEntry {
  const { type, subject, time, id, causationid, correlationid, data } = decode(entry.fields, entry.id);
  const position = Number(entry.id.split('-')[1]);
  return {
    partition: entry.source.partition.index,
    position,
    type,
    subject,
    time,
    id,
    causationid,
    correlationid,
    data,
  };
}
