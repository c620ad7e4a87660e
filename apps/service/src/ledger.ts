import { EventStore } from '@millrace/event-store';
import type { RecordedEvent } from '@millrace/event-store';
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

/** Everything the service has ever written: each partition in its order, all by their time. */
@Injectable()
export class Ledger {
  constructor(private readonly events: EventStore) {}

  async entries(): Promise<LedgerEntry[]> {
    const all: LedgerEntry[] = [];
    for await (const event of this.events.readAll()) all.push(ledgerEntry(event));
    return all;
  }
}

function ledgerEntry({ partition, position, message }: RecordedEvent): LedgerEntry {
  const { type, subject, time, id, causationid, correlationid, data } = message;
  return { partition: partition.index, position, type, subject, time, id, causationid, correlationid, data };
}
