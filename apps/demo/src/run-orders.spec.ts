import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import type { DemoOptions } from './options.js';
import { report } from './report/report.js';
import { Terminal } from './report/terminal.js';
import { isGood } from './result.js';
import { runOrders } from './run-orders.js';
import { FakeShop } from './shop/fake-shop.fixture.js';

const OPTIONS: DemoOptions = { orders: 20, seed: 1, kill: false, json: false, keep: false, inMemory: false };

describe('a run of orders', () => {
  let shop: FakeShop;
  let out: PassThrough;
  let terminal: Terminal;

  beforeEach(async () => {
    shop = await new FakeShop().open();
    out = new PassThrough();
    terminal = new Terminal(out as unknown as NodeJS.WriteStream);
  });
  afterEach(() => shop.stop());

  it('is good in a shop that keeps its promise', async () => {
    const run = await runOrders(OPTIONS, shop, terminal);
    expect(run.result).toMatchObject({ orders: 20, parked: 0, unfinished: 0, violations: [], kills: 0, seed: 1 });
    expect(run.result.confirmed + run.result.rejected).toBe(20);
    expect(isGood(run.result)).toBe(true);
    await report(run, shop, terminal);
    expect(stripVTControlCharacters(String(out.read()))).toMatch(
      /more than there is +rejected(.|\n)*0 unfinished\n.*9 of 9 hold/,
    );
  });

  it('sends an order that got no answer again with the same key, until it has one', async () => {
    shop.cutOff = 6;
    const { result, calls } = await runOrders(OPTIONS, shop, terminal);
    expect(isGood(result)).toBe(true);
    expect(calls.filter(({ outcome }) => outcome === 'unknown')).toHaveLength(6);
    expect(shop.ledgers.order!.filter(({ type }) => type === 'order.placed')).toHaveLength(20);
  });

  it('is not good in a shop that charges twice', async () => {
    shop.charging = 'twice';
    const run = await runOrders(OPTIONS, shop, terminal, 0);
    expect(isGood(run.result)).toBe(false);
    expect(new Set(run.result.violations.map(({ code }) => code))).toEqual(new Set(['E1', 'E2', 'E7']));
    await report(run, shop, terminal);
    expect(stripVTControlCharacters(String(out.read()))).toMatch(/6 of 9 hold(.|\n)*E2 order-\d+: charged 2 times/);
  });
});
