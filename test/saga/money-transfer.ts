/** Money goes from one account to another, within a limit. The bank does all of it itself, with functions. */
import { refused, saga, Saga, SagaModule } from '@millrace/saga';
import type { Refused } from '@millrace/saga';
import { Injectable, Module } from '@nestjs/common';

export interface Transfer {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly cents: number;
}

const LIMIT_CENTS = 1_000_00;

/** The books of the bank. Every booking has a key, so that one that comes twice is made once. */
@Injectable()
export class Accounts {
  private readonly balances = new Map<string, number>();
  private readonly bookings = new Set<string>();

  open(account: string, cents: number): void {
    this.balances.set(account, cents);
  }

  balance(account: string): number | undefined {
    return this.balances.get(account);
  }

  book(account: string, cents: number, booking: string): void | Refused {
    if (this.bookings.has(booking)) return;
    const balance = this.balances.get(account);
    if (balance === undefined) return refused(`there is no account ${account}`);
    if (balance + cents < 0) return refused(`account ${account} has only ${balance} cents`);
    this.bookings.add(booking);
    this.balances.set(account, balance + cents);
  }
}

@Injectable()
export class Letters {
  readonly sent: string[] = [];

  async send(account: string, text: string): Promise<void> {
    this.sent.push(`${account}: ${text}`);
  }
}

@Saga('money-transfer')
export class MoneyTransfer {
  constructor(
    private readonly accounts: Accounts,
    private readonly letters: Letters,
  ) {}

  readonly definition = saga<Transfer>()
    .startsByCall((transfer: Transfer) => transfer, { id: ({ id }) => id })
    .step('check limit', (s) =>
      s.calls(({ cents }) => (cents > LIMIT_CENTS ? refused('more than may be sent at once') : undefined)),
    )
    // Always in the same order, so that two transfers never wait for each other.
    .each(
      'lock accounts',
      ({ from, to }) => [from, to].sort(),
      (accounts) => accounts.lock('lock account', (_, account) => `account/${account}`),
    )
    .step('withdraw', (s) =>
      s
        .calls(({ from, cents }, { idempotencyKey }) => this.accounts.book(from, -cents, idempotencyKey))
        .compensates(({ from, cents }, { idempotencyKey }) => this.accounts.book(from, cents, idempotencyKey)),
    )
    .step('deposit', (s) =>
      s.calls(({ to, cents }, { idempotencyKey }) => this.accounts.book(to, cents, idempotencyKey)),
    )
    .pivot()
    .step('tell the receiver', (s) =>
      s.calls(({ from, to, cents }) => this.letters.send(to, `${cents} cents from ${from}`)).untilDone(),
    )
    .keys(({ from, to }) => ({ from, to }));
}

@Module({ providers: [Accounts, Letters], exports: [Accounts, Letters] })
export class AccountsModule {}

@Module({ imports: [AccountsModule, SagaModule.forFeature([MoneyTransfer], { imports: [AccountsModule] })] })
export class BankModule {}
