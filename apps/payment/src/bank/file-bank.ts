import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { Bank } from './bank.js';
import type { Authorization, BankCard, BankEntry, Charge } from './bank.js';
import { LedgerFile } from './ledger-file.js';

/** How long a slow bank takes to answer, ms. */
export const SLOW_MS = 2_500;

/**
 * A simulated bank whose book is a file, so that it outlives the payment service. It acts at once and answers late when
 * the method says so: `card-slow` on authorizing, `card-slow-capture` on capturing. `card-declined` is declined.
 */
export class FileBank extends Bank {
  private readonly book: BankEntry[] = [];
  private readonly byKey = new Map<string, BankEntry>();
  private readonly byReference = new Map<string, BankEntry>();
  private readonly ledger: LedgerFile<BankEntry>;

  /** @param path the book, created with its first line */
  constructor(
    path: string,
    private readonly slowMs = SLOW_MS,
  ) {
    super();
    this.ledger = new LedgerFile(path, (entry) => {
      this.book.push(entry);
      this.byKey.set(entry.key, entry);
      this.byReference.set(`${entry.op} ${entry.reference}`, entry);
    });
  }

  async authorize(key: string, { reference, amountMinor, ccy, method }: BankCard): Promise<Authorization> {
    let entry = this.repeated(key);
    if (!entry) {
      const op = method === 'card-declined' ? 'decline' : 'authorize';
      entry = this.write(op, key, { reference, amountMinor, ccy });
      if (method === 'card-slow') await wait(this.slowMs);
    }
    if (entry.op === 'decline') return { approved: false, code: 'card-declined' };
    return { approved: true, authorization: numberOf(entry) };
  }

  async capture(key: string, { reference, method }: { reference: string; method: string }): Promise<Charge> {
    let entry = this.repeated(key);
    if (!entry) {
      const authorization = this.find('authorize', reference);
      if (!authorization) return { captured: false, code: 'no-authorization' };
      if (this.find('void', reference) || this.find('capture', reference)) {
        return { captured: false, code: 'authorization-used' };
      }
      entry = this.write('capture', key, authorization);
      if (method === 'card-slow-capture') await wait(this.slowMs);
    }
    return { captured: true, amountMinor: entry.amountMinor, ccy: entry.ccy };
  }

  async refund(key: string, reference: string): Promise<number> {
    const repeated = this.repeated(key);
    if (repeated) return repeated.amountMinor;
    const charge = this.find('capture', reference);
    return charge ? this.write('refund', key, charge).amountMinor : 0;
  }

  async void(key: string, reference: string): Promise<void> {
    if (this.repeated(key)) return;
    const authorization = this.find('authorize', reference);
    if (authorization && !this.find('capture', reference)) this.write('void', key, authorization);
  }

  entries(): readonly BankEntry[] {
    this.ledger.refresh();
    return this.book;
  }

  private repeated(key: string): BankEntry | undefined {
    this.ledger.refresh();
    return this.byKey.get(key);
  }

  private find(op: BankEntry['op'], reference: string): BankEntry | undefined {
    return this.byReference.get(`${op} ${reference}`);
  }

  private write(
    op: BankEntry['op'],
    key: string,
    about: Pick<BankEntry, 'reference' | 'amountMinor' | 'ccy'>,
  ): BankEntry {
    const { reference, amountMinor, ccy } = about;
    const entry = { at: new Date().toISOString(), op, key, reference, amountMinor, ccy };
    this.ledger.append(entry);
    return entry;
  }
}

/** The number of an authorization: the same for the same request. */
function numberOf({ key, reference }: BankEntry): string {
  return createHash('sha256').update(`${key} ${reference}`).digest('hex').slice(0, 12);
}
