/** The code of docs/guides/delivery.md, region by region. The specs beside it compare, compile and run it. */

// #region messages
import { Command, Event, Reply } from '@millrace/messages';
import { IsInt, IsString } from 'class-validator';

@Event('order.placed', { key: 'orderId' })
export class OrderPlaced {
  @IsString() readonly orderId: string;
  @IsInt() readonly cents: number;

  constructor(orderId: string, cents: number) {
    this.orderId = orderId;
    this.cents = cents;
  }
}

@Reply('order.accepted')
export class Accepted {
  @IsString() readonly orderId: string;

  constructor(orderId: string) {
    this.orderId = orderId;
  }
}

@Command('order.place', { key: 'orderId' })
export class PlaceOrder extends Command<Accepted> {
  @IsString() readonly orderId: string;
  @IsInt() readonly cents: number;

  constructor(orderId: string, cents: number) {
    super();
    this.orderId = orderId;
    this.cents = cents;
  }
}
// #endregion

// #region handlers
import { Handles, On, Publisher } from '@millrace/broker';
import { Injectable } from '@nestjs/common';

@Injectable()
export class Orders {
  constructor(private readonly publisher: Publisher) {}

  @Handles(PlaceOrder)
  async place({ orderId, cents }: PlaceOrder): Promise<Accepted> {
    await this.publisher.publish(new OrderPlaced(orderId, cents));
    return new Accepted(orderId);
  }
}

@Injectable()
export class Statistics {
  readonly totals = new Map<string, number>();

  @On(OrderPlaced)
  count({ orderId, cents }: OrderPlaced): void {
    this.totals.set(orderId, cents);
  }
}
// #endregion

// #region none
@Injectable()
export class Thumbnails {
  readonly drawn = new Set<string>();

  @On(OrderPlaced, { group: 'thumbnails', ordering: 'none' })
  draw({ orderId }: OrderPlaced): void {
    this.drawn.add(orderId);
  }
}
// #endregion

// #region load
import { Subscriber } from '@millrace/broker';

@Injectable()
export class Newsletter {
  readonly sent: string[] = [];

  constructor(private readonly subscriber: Subscriber) {}

  @On(OrderPlaced, { group: 'newsletter', concurrency: 4, prefetch: 100, rate: { limit: 50, perMs: 1_000 } })
  send({ orderId }: OrderPlaced): void {
    this.sent.push(orderId);
  }

  providerIsDown(): void {
    this.subscriber.pause('newsletter');
  }

  providerIsBack(): void {
    this.subscriber.resume('newsletter');
  }
}
// #endregion

// #region batch
import type { BatchContext } from '@millrace/broker';

@Injectable()
export class SearchIndex {
  readonly indexed: string[] = [];

  @On(OrderPlaced, { group: 'search', batch: { size: 100, waitMs: 20 } })
  index(orders: OrderPlaced[], context: BatchContext): void {
    for (const order of orders) {
      if (order.orderId === '') context.fail(order, new Error('an order without an id'));
      else this.indexed.push(order.orderId);
    }
  }
}
// #endregion

// #region failure
import { Defer, NonRetryableError, RetryableError } from '@millrace/broker';
import type { MessageContext } from '@millrace/broker';

/** A carrier's API, as an example. */
@Injectable()
export class Carrier {
  opensAt = 0;

  async book(_orderId: string, _signal: AbortSignal): Promise<number> {
    return 201;
  }
}

@Injectable()
export class Shipping {
  readonly booked: string[] = [];

  constructor(private readonly carrier: Carrier) {}

  @On(OrderPlaced, {
    group: 'shipping',
    handlerTimeoutMs: 5_000,
    retry: { attempts: 8, delayMs: 200, maxDelayMs: 60_000, retryIf: (error) => !(error instanceof TypeError) },
  })
  async book({ orderId }: OrderPlaced, context: MessageContext): Promise<void> {
    if (this.carrier.opensAt > Date.now()) throw Defer.until(this.carrier.opensAt);
    const status = await this.carrier.book(orderId, context.signal);
    if (status === 422) throw new NonRetryableError(`the carrier does not take ${orderId}`, { code: 'not-taken' });
    if (status === 429) throw new RetryableError('too many calls', { afterMs: 1_000 });
    if (status !== 201) throw new Error(`the carrier answered ${status}`);
    this.booked.push(orderId);
  }
}
// #endregion

// #region park
@Injectable()
export class Ledger {
  readonly booked: string[] = [];

  @On(OrderPlaced, { group: 'ledger', onFailure: 'park-key', retry: { attempts: 1 } })
  book({ orderId, cents }: OrderPlaced): void {
    if (cents < 0) throw new Error(`${orderId} has a negative total`);
    this.booked.push(`${orderId} ${cents}`);
  }
}
// #endregion

// #region dead-letters
import { DeadLetters } from '@millrace/broker';

@Injectable()
export class Repair {
  constructor(private readonly deadLetters: DeadLetters) {}

  async show(): Promise<string[]> {
    const { letters } = await this.deadLetters.list({ group: 'ledger' }, { limit: 50 });
    return letters.map(({ reason, error, attempts, key }) => `${reason}: ${error} (${key}, attempt ${attempts})`);
  }

  async makePositive(id: string): Promise<string> {
    const edit = (order: OrderPlaced) => ({ ...order, cents: 0 });
    const { status } = await this.deadLetters.redrive(id, { as: OrderPlaced, edit });
    return status; // 'redriven', 'gone', or 'parked' behind another one
  }

  afterTheFix(): Promise<number> {
    return this.deadLetters.redriveAll({ group: 'shipping', from: new Date('2026-01-01') });
  }

  forget(id: string): Promise<boolean> {
    return this.deadLetters.discard(id);
  }
}
// #endregion

// #region later
import { Every, Scheduler } from '@millrace/broker';

@Reply('order.reminded')
export class Reminded {}

@Command('order.remind')
export class Remind extends Command<Reminded> {}

@Injectable()
export class Reminders {
  reminded = 0;

  constructor(
    private readonly publisher: Publisher,
    private readonly scheduler: Scheduler,
  ) {}

  @Every('0 9 * * 1-5', () => new Remind(), { timeZone: 'Europe/Berlin' })
  @Handles(Remind)
  remind(): Reminded {
    this.reminded++;
    return new Reminded();
  }

  async once(): Promise<void> {
    await this.publisher.send(new Remind(), { delayMs: 60_000 });
  }

  async unpaid(orderId: string): Promise<void> {
    await this.scheduler.schedule(new Remind(), { id: `unpaid:${orderId}`, at: new Date('2030-01-01T09:00:00Z') });
  }

  async moreTime(orderId: string): Promise<boolean> {
    return this.scheduler.move(`unpaid:${orderId}`, new Date('2030-02-01T09:00:00Z'));
  }

  async paid(orderId: string): Promise<boolean> {
    return this.scheduler.cancel(`unpaid:${orderId}`); // false: it has gone out already
  }

  async open(): Promise<string[]> {
    const { schedules } = await this.scheduler.list({ prefix: 'unpaid:' });
    return schedules.map(({ id, due }) => `${id} ${due.toISOString()}`);
  }
}
// #endregion

// #region once
@Injectable()
export class Import {
  constructor(private readonly publisher: Publisher) {}

  /** May be called again with the same line after a crash. */
  async line(orderId: string, cents: number): Promise<boolean> {
    const { duplicate } = await this.publisher.publish(new OrderPlaced(orderId, cents), {
      id: `import-${orderId}`,
      dedupeWindowMs: 7 * 24 * 60 * 60 * 1000,
    });
    return duplicate;
  }
}
// #endregion

// #region undo
@Command('order.reserve', { key: 'sku' })
export class Reserve extends Command<Accepted> {
  @IsString() readonly sku: string;
  @IsString() readonly orderId: string;

  constructor(sku: string, orderId: string) {
    super();
    this.sku = sku;
    this.orderId = orderId;
  }
}

@Command('order.release', { key: 'sku' })
export class Release extends Command<Accepted> {
  @IsString() readonly sku: string;
  @IsString() readonly orderId: string;

  constructor(sku: string, orderId: string) {
    super();
    this.sku = sku;
    this.orderId = orderId;
  }
}

@Injectable()
export class Warehouse {
  readonly reservations = new Set<string>();

  @Handles(Reserve)
  reserve({ orderId }: Reserve): Accepted {
    this.reservations.add(orderId);
    return new Accepted(orderId);
  }

  @Handles(Release)
  release({ orderId }: Release): Accepted {
    this.reservations.delete(orderId);
    return new Accepted(orderId);
  }
}

@Injectable()
export class Checkout {
  constructor(private readonly publisher: Publisher) {}

  async begin(sku: string, orderId: string): Promise<void> {
    await this.publisher.send(new Reserve(sku, orderId), { effect: `reserve/${orderId}` });
  }

  /** Whether the reservation has been made, or is still on its way. */
  async giveUp(sku: string, orderId: string): Promise<void> {
    await this.publisher.send(new Release(sku, orderId), { undoes: `reserve/${orderId}` });
  }
}
// #endregion

// #region request
import { Requester, RequestTimeoutError } from '@millrace/broker';
import { Body, Controller, GatewayTimeoutException, Post } from '@nestjs/common';

@Controller('orders')
export class OrdersController {
  constructor(private readonly requester: Requester) {}

  @Post()
  async place(@Body() { orderId, cents }: PlaceOrder): Promise<Accepted> {
    try {
      return await this.requester.request(new PlaceOrder(orderId, cents), { timeoutMs: 2_000, expires: true });
    } catch (error) {
      if (error instanceof RequestTimeoutError) throw new GatewayTimeoutException(error.message);
      throw error;
    }
  }
}
// #endregion

// #region stream
@Reply('order.export-line')
export class ExportLine {
  @IsString() readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

@Command('order.export')
export class Export extends Command<ExportLine> {}

@Injectable()
export class Exports {
  constructor(private readonly requester: Requester) {}

  @Handles(Export)
  async *lines(): AsyncGenerator<ExportLine> {
    yield new ExportLine('order;cents');
    yield new ExportLine('order-1;900');
  }

  async all(): Promise<string[]> {
    const lines: string[] = [];
    for await (const { text } of this.requester.stream(new Export())) lines.push(text);
    return lines;
  }
}
// #endregion

// #region fan-out
@Injectable()
export class PriceCache {
  readonly prices = new Map<string, number>();

  @On(OrderPlaced, { everyInstance: true })
  forget({ orderId }: OrderPlaced): void {
    this.prices.delete(orderId);
  }
}
// #endregion

// #region retention
import type { RetentionOptions } from '@millrace/broker';

const DAY_MS = 24 * 60 * 60 * 1000;

export const archived = new Map<string, readonly string[]>();

export const retention: RetentionOptions = {
  feed: {
    maxAgeMs: 30 * DAY_MS,
    maxLength: 1_000_000,
    archive: async (entries, { context, index }) => {
      for (const { id, fields } of entries) archived.set(`${context}/${index}/${id}`, fields);
    },
  },
  dead: { maxAgeMs: 90 * DAY_MS },
  followers: { expireAfterMs: 14 * DAY_MS },
};
// #endregion

// #region health
import { BrokerHealthIndicator, BrokerMonitor } from '@millrace/broker';
import { Get } from '@nestjs/common';
import { HealthCheckService } from '@nestjs/terminus';

@Controller()
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly broker: BrokerHealthIndicator,
    private readonly monitor: BrokerMonitor,
  ) {}

  @Get('health')
  check() {
    return this.health.check([() => this.broker.check('broker')]);
  }

  @Get('figures')
  figures() {
    return this.monitor.inspect();
  }
}
// #endregion

// #region module
import { BrokerModule } from '@millrace/broker';
import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';

@Module({
  imports: [
    TerminusModule,
    BrokerModule.forRoot({
      context: 'order',
      redis: { url: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379' },
      partitions: 12,
      concurrency: 16, // of every group ...
      groups: { thumbnails: { concurrency: 2 } }, // ... but of this one
      retention,
      health: { degraded: { maxLag: 5_000 }, down: { maxPendingMs: 600_000 } },
    }),
  ],
  controllers: [OrdersController, HealthController],
  providers: [
    Orders,
    Statistics,
    Thumbnails,
    Newsletter,
    SearchIndex,
    Carrier,
    Shipping,
    Ledger,
    Repair,
    Reminders,
    Import,
    Warehouse,
    Checkout,
    Exports,
    PriceCache,
  ],
})
export class OrderModule {}
// #endregion
