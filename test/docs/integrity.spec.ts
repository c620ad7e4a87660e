import { createHash } from 'node:crypto';
import { InMemoryPartitionStore, PARTITION_STORE } from '@millrace/broker';
import { EventStore, EventStoreModule, getRepositoryToken } from '@millrace/event-store';
import type { Repository } from '@millrace/event-store';
import { Test } from '@nestjs/testing';
import type { TestingModule } from '@nestjs/testing';
import { Account, Audited, Auditor, BankModule } from './integrity.js';

describe('the code of the guide to integrity', () => {
  const store = new InMemoryPartitionStore();
  let app: TestingModule;
  let accounts: Repository<Account>;
  let events: EventStore;
  let auditor: Auditor;

  beforeAll(async () => {
    app = await Test.createTestingModule({
      imports: [BankModule, EventStoreModule.forFeature({})],
      providers: [Auditor],
    })
      .overrideProvider(PARTITION_STORE)
      .useValue(store)
      .compile();
    app.useLogger(false);
    await app.init();
    accounts = app.get<Repository<Account>>(getRepositoryToken(Account), { strict: false });
    events = app.get(EventStore, { strict: false });
    auditor = app.get(Auditor);
  });
  afterAll(() => app.close());

  it('chains an aggregate and a category, whoever appends', async () => {
    await accounts.change('1', (account) => account.deposit(500));
    await events.append('audit-1', [new Audited({ by: 'Ann' })]);
    await events.append('other-1', [new Audited({ by: 'Ann' })]);
    const found: string[] = [];
    for await (const { stream, status } of events.verifyAll()) found.push(`${stream} ${status}`);
    expect(found.toSorted()).toEqual(['account-1 intact', 'audit-1 intact', 'other-1 unchained']);
  });

  it('gives the values that the guide says', async () => {
    await accounts.change('2', (account) => account.deposit(1));
    await accounts.change('2', (account) => account.deposit(2));
    const read = async (index: number) => store.readStream({ context: 'bank', index }, 'account-2');
    const { entries } = (await Promise.all([0, 1, 2, 3].map(read))).find(({ version }) => version > 0)!;
    let before = 'account-2 1';
    for (const { fields } of entries) {
      const text = fields[1]!.replace(/,"chain":"[^"]*"}$/, '}');
      before = createHash('sha256').update(`${before}\n${text}`).digest('base64url');
      expect(fields[1]).toBe(`${text.slice(0, -1)},"chain":"${before}"}`);
    }
  });

  it('audits accounts by the head that was kept', async () => {
    await accounts.change('3', (account) => account.deposit(1));
    const head = await auditor.audit('3');
    await accounts.change('3', (account) => account.deposit(2));
    expect(await auditor.audit('3', head)).toMatchObject({ version: 2 });
    await expect(auditor.audit('3', { ...head, chain: 'x' })).rejects.toThrow('stream account-3 in bank/');
    expect(await auditor.brokenOnes()).toEqual([]);
  });
});
