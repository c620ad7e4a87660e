import { randomBytes } from 'node:crypto';
import type { Call } from './checker/evidence.js';
import { judge } from './customer/collect-evidence.js';
import { OrderWatch } from './customer/order-watch.js';
import { placeOrders } from './customer/place-orders.js';
import { planOrders } from './customer/plan.js';
import { stockShelves } from './customer/stock-shelves.js';
import type { DemoOptions } from './options.js';
import type { Terminal } from './report/terminal.js';
import type { Result } from './result.js';
import { killServices } from './shop/kill-services.js';
import type { Shop } from './shop/shop.js';

/** With `--kill` placing takes at least this long, so that there is something to kill. */
const KILLING_MS = 10_000;
/** Killing goes on this long after the last order was placed. */
const GRACE_MS = 3000;

export interface Run {
  readonly result: Result;
  readonly watch: OrderWatch;
  readonly calls: readonly Call[];
}

/**
 * Stocks the shop, places the planned orders, waits for their ends, and has the evidence checked.
 *
 * @param catchUpMs how long the services may take to write down the last of it
 */
export async function runOrders(
  options: DemoOptions,
  shop: Shop,
  terminal: Terminal,
  catchUpMs = 10_000,
): Promise<Run> {
  const started = Date.now();
  const count = options.orders;
  const plan = planOrders(options.seed, count, randomBytes(3).toString('hex'));
  await stockShelves(shop, plan.products);

  const calls: Call[] = [];
  let kills = 0;
  let placedAt = Infinity;
  terminal.startProgress(count);
  const watch = new OrderWatch(shop, (ended) => terminal.progress(ended, options.kill ? `${kills} kills` : ''));
  const deadline = () => placedAt + 60_000 + 500 * count;
  const watching = watch.run(() => Date.now() >= placedAt, deadline);

  const allEnded = () => Date.now() >= placedAt && watch.unfinished().length === 0;
  const mostKills = typeof options.kill === 'number' ? options.kill : Infinity;
  const enough = () => kills >= mostKills || allEnded() || Date.now() > placedAt + GRACE_MS;
  const killing = options.kill ? killServices(shop, options.seed, enough, () => kills++) : Promise.resolve(0);

  await placeOrders(plan.orders, {
    orderUrl: shop.urls.order,
    paceMs: options.kill ? KILLING_MS / count : 0,
    calls,
    onAccepted: (orderId, { kind }) => watch.follow(orderId, kind),
  });
  placedAt = Date.now();
  await Promise.all([watching, killing]);
  terminal.endProgress();

  await shop.ready();
  const violations = await judge(shop, calls, catchUpMs);
  const [confirmed, rejected, parked] = [watch.count('confirmed'), watch.count('rejected'), watch.count('parked')];
  const result: Result = {
    orders: count,
    confirmed,
    rejected,
    parked,
    unfinished: count - confirmed - rejected - parked,
    violations,
    kills,
    redis: { source: shop.redis.source, version: shop.redis.version },
    seconds: Math.round((Date.now() - started) / 100) / 10,
    seed: options.seed,
  };
  return { result, watch, calls };
}
