import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileBank } from './file-bank.js';

describe('the simulated bank', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bank-'));
    path = join(folder, 'book.ndjson');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const card = { reference: 'r1', amountMinor: 500, ccy: 'EUR', method: 'card-ok' };
  const ops = (bank: FileBank) => bank.entries().map(({ op, amountMinor }) => [op, amountMinor]);

  it('authorizes, captures and refunds, each once for its key', async () => {
    const bank = new FileBank(path);
    const first = await bank.authorize('k1', card);
    expect(first).toEqual({ approved: true, authorization: expect.any(String) });
    expect(await bank.authorize('k1', card)).toEqual(first);
    expect(await bank.capture('k2', card)).toEqual({ captured: true, amountMinor: 500, ccy: 'EUR' });
    expect(await bank.capture('k2', card)).toEqual({ captured: true, amountMinor: 500, ccy: 'EUR' });
    expect([await bank.refund('k3', 'r1'), await bank.refund('k3', 'r1')]).toEqual([500, 500]);
    await bank.void('k4', 'r1');
    expect(ops(bank)).toEqual([
      ['authorize', 500],
      ['capture', 500],
      ['refund', 500],
    ]);
  });

  it('declines, and has nothing to capture then', async () => {
    const bank = new FileBank(path);
    expect(await bank.authorize('k1', { ...card, method: 'card-declined' })).toEqual({
      approved: false,
      code: 'card-declined',
    });
    expect(await bank.capture('k2', card)).toEqual({ captured: false, code: 'no-authorization' });
    expect(await bank.refund('k3', 'r1')).toBe(0);
    expect(ops(bank)).toEqual([['decline', 500]]);
  });

  it('captures no voided authorization', async () => {
    const bank = new FileBank(path);
    await bank.authorize('k1', card);
    await bank.void('k2', 'r1');
    await bank.void('k2', 'r1');
    expect(await bank.capture('k3', card)).toEqual({ captured: false, code: 'authorization-used' });
    expect(ops(bank).map(([op]) => op)).toEqual(['authorize', 'void']);
  });

  it('gives a repeated request its first answer after a restart, and in another process', async () => {
    const [bank, sibling] = [new FileBank(path), new FileBank(path)];
    const answer = await bank.authorize('k1', card);
    expect(await sibling.authorize('k1', card)).toEqual(answer);
    expect(await new FileBank(path).authorize('k1', card)).toEqual(answer);
    expect(readFileSync(path, 'utf8').trim().split('\n')).toHaveLength(1);
  });

  it('survives a line that was never finished', async () => {
    await new FileBank(path).authorize('k1', card);
    appendFileSync(path, '{"op":"capt');
    const bank = new FileBank(path);
    await bank.capture('k2', card);
    expect(ops(new FileBank(path))).toEqual([
      ['authorize', 500],
      ['capture', 500],
    ]);
  });

  it('acts at once and answers late when it is slow, but not when it is asked again', async () => {
    const bank = new FileBank(path, 300);
    void bank.authorize('k1', { ...card, method: 'card-slow' });
    expect(ops(bank)).toEqual([['authorize', 500]]);
    expect(await bank.authorize('k1', { ...card, method: 'card-slow' })).toMatchObject({ approved: true });
  });
});
