import { Sagas } from '@millrace/saga';
import { eventually } from '../support/redis.js';
import { meet, outcomeOf, STORES } from './meet.js';
import { Accounts, BankModule, Letters, MoneyTransfer } from './money-transfer.js';

describe.each(STORES)('a transfer in %s', (_store, meeting) => {
  async function open(balances: Readonly<Record<string, number>>) {
    const { bank } = await meet(meeting(), { bank: BankModule });
    const [sagas, accounts] = [bank.app.get(Sagas, { strict: false }), bank.app.get(Accounts, { strict: false })];
    for (const [account, cents] of Object.entries(balances)) accounts.open(account, cents);
    const transfer = (id: string, from: string, to: string, cents: number) =>
      sagas.start(MoneyTransfer, { id, from, to, cents });
    const outcome = (id: string) => outcomeOf(bank, MoneyTransfer, id);
    return { sagas, accounts, transfer, outcome, letters: bank.app.get(Letters, { strict: false }) };
  }

  it('moves the money, and tells who gets it', async () => {
    const { transfer, outcome, accounts, letters } = await open({ ann: 500, ben: 0 });
    await transfer('m1', 'ann', 'ben', 200);

    expect(await outcome('m1')).toMatchObject({ status: 'completed' });
    expect([accounts.balance('ann'), accounts.balance('ben')]).toEqual([300, 200]);
    expect(letters.sent).toEqual(['ben: 200 cents from ann']);
  });

  it('is refused over the limit, and without the money', async () => {
    const { transfer, outcome, accounts } = await open({ ann: 500_000, ben: 0 });
    await transfer('m1', 'ann', 'ben', 200_000);
    await transfer('m2', 'ben', 'ann', 1);

    const overLimit = { step: 'check limit', reason: 'more than may be sent at once' };
    expect(await outcome('m1')).toMatchObject({ status: 'compensated', failure: overLimit });
    expect(await outcome('m2')).toMatchObject({ status: 'compensated', failure: { step: 'withdraw' } });
    expect([accounts.balance('ann'), accounts.balance('ben')]).toEqual([500_000, 0]);
  });

  it('gives the money back when there is nobody to get it', async () => {
    const { transfer, outcome, accounts, letters } = await open({ ann: 500 });
    await transfer('m1', 'ann', 'zoe', 200);

    const unknown = { step: 'deposit', reason: 'there is no account zoe' };
    expect(await outcome('m1')).toMatchObject({ status: 'compensated', failure: unknown });
    expect(accounts.balance('ann')).toBe(500);
    expect(letters.sent).toEqual([]);
  });

  it('waits for others that have one of its accounts, so that no balance is seen in between', async () => {
    const { transfer, outcome, accounts, sagas } = await open({ ann: 100, ben: 100 });
    const there = Array.from({ length: 5 }, (_, n) => `there-${n}`);
    const back = Array.from({ length: 5 }, (_, n) => `back-${n}`);
    await Promise.all(there.map((id) => transfer(id, 'ann', 'ben', 20)));
    await Promise.all(back.map((id) => transfer(id, 'ben', 'ann', 20)));

    for (const id of [...there, ...back]) expect(await outcome(id)).toMatchObject({ status: 'completed' });
    expect([accounts.balance('ann'), accounts.balance('ben')]).toEqual([100, 100]);
    await eventually(async () => expect(await sagas.lockOf('account/ann')).toBeUndefined());
  });
});
