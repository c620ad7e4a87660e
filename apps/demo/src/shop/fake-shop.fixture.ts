import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BankEntry, LedgerEntry } from '../checker/evidence.js';
import type { Shop } from './shop.js';
import { never } from './shop.js';

interface Ordered {
  readonly customerId: string;
  readonly lines: { sku: string; quantity: number }[];
  readonly paymentMethod: string;
}

/** A shop of one small server that does what the real one does, at once. */
export class FakeShop implements Shop {
  readonly redis = { source: 'fake', version: '0' };
  readonly failure = never();
  readonly ledgers: Record<string, LedgerEntry[]> = { catalog: [], order: [], payment: [], orchestrator: [] };
  readonly bank: BankEntry[] = [];
  /** Requests to `POST /orders` that are cut off after they were done. */
  cutOff = 0;
  /** Whether the bank charges every order a second time. */
  charging: 'once' | 'twice' = 'once';
  urls!: Shop['urls'];
  private readonly stock = new Map<string, { price: number; available: number }>();
  private readonly keys = new Map<string, string>();
  private readonly statuses = new Map<string, string>();
  private readonly server: Server = createServer((request, response) => {
    void this.answer(request).then((answer) => {
      if (!answer) return response.destroy();
      return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  });

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    const url = (name: string) => `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/${name}`;
    this.urls = {
      catalog: url('catalog'),
      order: url('order'),
      payment: url('payment'),
      orchestrator: url('orchestrator'),
    };
    return this;
  }

  killable(): [] {
    return [];
  }

  kill(): void {}

  async ready(): Promise<void> {}

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage): Promise<unknown> {
    const [, service, ...path] = request.url!.split('/');
    const body = request.method === 'POST' ? await bodyOf(request) : undefined;
    const where = `${request.method} ${service}/${path[0]!.split('?')[0]}`;
    if (where === 'POST catalog/products') return this.add(body as never);
    if (where.endsWith('/products')) return [...this.stock].map(([sku, { available }]) => ({ sku, available }));
    if (where === 'GET orchestrator/sagas') return path[1] ? { history: [] } : { sagas: [] };
    if (where.endsWith('/ledger')) return { entries: this.ledgers[service!], bank: this.bank };
    if (where === 'GET order/orders') return { orderId: path[1], status: this.statuses.get(path[1]!) };
    const orderId = this.order(String(request.headers['idempotency-key']), body as Ordered);
    return this.cutOff-- > 0 ? undefined : { orderId, status: 'placed' };
  }

  private add({ sku, price, stock }: { sku: string; price: { amount: number }; stock: number }): object {
    this.stock.set(sku, { price: price.amount, available: stock });
    this.write('catalog', 'catalog.product-added', { sku, stock });
    return {};
  }

  private order(key: string, { customerId, lines, paymentMethod }: Ordered): string {
    const known = this.keys.get(key);
    if (known) return known;
    const orderId = `order-${this.keys.size}`;
    this.keys.set(key, orderId);
    const amount = lines.reduce((sum, { sku, quantity }) => sum + this.stock.get(sku)!.price * quantity, 0);
    this.write('order', 'order.placed', { orderId, customerId, lines, total: { amount, currency: 'EUR' } });
    const inStock = lines.every(({ sku, quantity }) => this.stock.get(sku)!.available >= quantity);
    const confirmed = inStock && paymentMethod === 'card-ok';
    if (confirmed) {
      for (const { sku, quantity } of lines) {
        this.stock.get(sku)!.available -= quantity;
        this.write('catalog', 'catalog.stock-held', { sku, orderId, quantity });
      }
      for (const op of ['authorize', 'capture', ...(this.charging === 'twice' ? ['capture'] : [])] as const) {
        this.bank.push({ at: '', op: op as BankEntry['op'], key, reference: orderId, amountMinor: amount, ccy: 'EUR' });
      }
    }
    this.statuses.set(orderId, confirmed ? 'confirmed' : 'rejected');
    this.write('order', confirmed ? 'order.confirmed' : 'order.rejected', { orderId });
    return orderId;
  }

  private write(feed: string, type: string, data: Record<string, unknown>): void {
    const ledger = this.ledgers[feed]!;
    const position = ledger.length + 1;
    ledger.push({ partition: 0, position, type, time: new Date().toISOString(), id: `${feed}-${position}`, data });
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk as string;
  return JSON.parse(text);
}
