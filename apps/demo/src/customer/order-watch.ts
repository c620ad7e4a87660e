import pLimit from 'p-limit';
import { get, pause } from '../shop/http.js';
import type { Shop } from '../shop/shop.js';
import type { OrderKind } from './plan.js';

export type Ending = 'confirmed' | 'rejected' | 'parked';

const ROUND_MS = 200;
/** Orders asked for in one round, so that watching does not slow down what is watched. */
const ROUND = 60;

/** Asks the services how the accepted orders are, until all have ended. */
export class OrderWatch {
  /** The ended orders. */
  readonly endings = new Map<string, Ending>();
  private readonly kinds = new Map<string, OrderKind>();
  private readonly limit = pLimit(6);

  constructor(
    private readonly shop: Shop,
    private readonly onEnded: (ended: number) => void,
  ) {}

  follow(orderId: string, kind: OrderKind): void {
    this.kinds.set(orderId, kind);
  }

  kindOf(orderId: string): OrderKind {
    return this.kinds.get(orderId)!;
  }

  count(ending: Ending): number {
    return [...this.endings.values()].filter((how) => how === ending).length;
  }

  unfinished(): string[] {
    return [...this.kinds.keys()].filter((orderId) => !this.endings.has(orderId));
  }

  /** Watches until `isLast()` and all followed orders have ended, or the deadline (ms since 1970) has passed. */
  async run(isLast: () => boolean, deadline: () => number): Promise<void> {
    let next = 0;
    while (Date.now() < deadline()) {
      const unfinished = this.unfinished();
      if (unfinished.length === 0 && isLast()) return;
      // Slow ones stay at the front, so each round goes on where the last one ended.
      if (next >= unfinished.length) next = 0;
      const round = unfinished.slice(next, next + ROUND);
      next += ROUND;
      await Promise.all(round.map((orderId) => this.limit(() => this.look(orderId))));
      if (round.length > 0) await this.lookForParked();
      this.onEnded(this.endings.size);
      await pause(ROUND_MS);
    }
  }

  private async look(orderId: string): Promise<void> {
    // No answer: the service was killed, and is asked again in the next round.
    const order = await get<{ status: string }>(`${this.shop.urls.order}/orders/${orderId}`).catch(() => undefined);
    if (order?.status === 'confirmed' || order?.status === 'rejected') this.endings.set(orderId, order.status);
  }

  private async lookForParked(): Promise<void> {
    for (const orderId of await parkedOrders(this.shop).catch(() => [])) {
      if (this.kinds.has(orderId) && !this.endings.has(orderId)) this.endings.set(orderId, 'parked');
    }
  }
}

/** Orders whose saga waits for a person. */
export async function parkedOrders(shop: Shop): Promise<string[]> {
  const found: string[] = [];
  for (let cursor: string | undefined, isLast = false; !isLast; isLast = cursor === undefined) {
    const after = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page = await get<Page>(`${shop.urls.orchestrator}/sagas?status=parked&limit=1000${after}`);
    found.push(...page.sagas.map(({ id }) => id));
    cursor = page.cursor;
  }
  return found;
}

interface Page {
  readonly sagas: readonly { readonly id: string }[];
  readonly cursor?: string;
}
