/** The code of docs/guides/transforms.md, region by region. The specs beside it compare, compile and run it. */

// #region contracts
import { Command, Event, Reply } from '@millrace/messages';
import { IsArray, IsEmail, IsInt, IsOptional, IsString } from 'class-validator';

@Event('order.placed', { key: 'orderId', version: 3 })
export class OrderPlaced {
  @IsString() orderId!: string;
  @IsEmail() email!: string;
  @IsOptional() @IsString() note?: string;
  @IsArray() lines!: readonly { readonly sku: string; readonly cents: number }[];
  @IsString() currency!: string;
}

@Reply('warehouse.packed')
export class Packed {
  @IsString() sku!: string;
}

@Command('warehouse.pack', { key: 'orderId' })
export class Pack extends Command<Packed> {
  @IsString() orderId!: string;
  @IsString() sku!: string;
}
// #endregion

// #region translate
import { translate } from '@millrace/transforms';

@Event('warehouse.order-received', { key: 'reference' })
export class OrderReceived {
  @IsString() reference!: string;
  @IsArray() articles!: readonly string[];
}

export const inOurWords = translate(OrderPlaced, OrderReceived, ({ orderId, lines }) => ({
  reference: orderId,
  articles: lines.map(({ sku }) => sku),
}));
// #endregion

// #region service
import { BrokerModule, On } from '@millrace/broker';
import { Injectable, Module } from '@nestjs/common';

@Injectable()
export class ReceivingDesk {
  readonly received: OrderReceived[] = [];

  @On(OrderReceived, { from: 'order' })
  receive(order: OrderReceived): void {
    this.received.push(order);
  }
}

@Module({
  imports: [BrokerModule.forRoot({ context: 'warehouse' }), BrokerModule.forFeature({ inbound: [inOurWords] })],
  providers: [ReceivingDesk],
})
export class WarehouseModule {}
// #endregion

// #region decorator
@Injectable()
export class Statistics {
  articles = 0;

  @On(OrderReceived, { group: 'statistics', inbound: [inOurWords] })
  count({ articles }: OrderReceived): void {
    this.articles += articles.length;
  }
}

export const groups = { statistics: { inbound: [inOurWords] } };
// #endregion

// #region versions
import { downcast, upcast } from '@millrace/transforms';

interface OrderPlacedV1 {
  readonly id: string;
  readonly email: string;
  readonly lines: readonly { readonly sku: string; readonly cents: number }[];
}

export const orderHistory = [
  upcast(OrderPlaced, { from: 1, to: 2 }, ({ id, ...rest }: OrderPlacedV1) => ({ orderId: id, ...rest })),
  upcast(OrderPlaced, { from: 2, to: 3 }, (v2: object) => ({ ...v2, currency: 'EUR' })),
];

export const versions = BrokerModule.forFeature({ stored: orderHistory });
// #endregion

// #region downcast
export const forOldConsumers = downcast(OrderPlaced, { from: 3, to: 2 }, ({ currency: _, ...v2 }: OrderPlaced) => v2);
// #endregion

// #region golden
import { goldenHistory } from '@millrace/testing';

export function replayEveryVersion(folder: string) {
  return goldenHistory(folder).replay(orderHistory);
}
// #endregion

// #region enrich
import { enrich } from '@millrace/transforms';

@Injectable()
export class Addresses {
  of(email: string): Promise<string> {
    return Promise.resolve(`the house of ${email}`);
  }
}

@Event('warehouse.parcel-ordered', { key: 'orderId' })
export class ParcelOrdered {
  @IsString() orderId!: string;
  @IsEmail() email!: string;
  @IsString() address!: string;
}

export const addressed = BrokerModule.forFeatureAsync({
  inject: [Addresses],
  useFactory: (addresses: Addresses) => ({
    inbound: [enrich(OrderPlaced, ParcelOrdered, async ({ email }) => ({ address: await addresses.of(email) }))],
  }),
});
// #endregion

// #region redact
import { redact } from '@millrace/transforms';

export const anonymous = redact(OrderPlaced, 'note', 'lines.sku');
export const masked = redact(OrderPlaced, {
  email: (email) => email.replace(/^[^@]*/, 'somebody'),
  'lines.cents': 0,
});
// #endregion

// #region normalize
import { normalize } from '@millrace/transforms';

interface ErpOrder {
  readonly ORDNR: number;
  readonly ARTNR: string;
}

const isErpOrder = (data: unknown): data is ErpOrder => typeof (data as Partial<ErpOrder>).ORDNR === 'number';

export const fromEverywhere = normalize(OrderReceived)
  .accepts(OrderPlaced, ({ orderId, lines }) => ({ reference: orderId, articles: lines.map(({ sku }) => sku) }))
  .accepts('erp.ordr', isErpOrder, ({ ORDNR, ARTNR }) => ({ reference: `erp-${ORDNR}`, articles: [ARTNR] }));
// #endregion

// #region filter
import { filter } from '@millrace/transforms';

export const worthIt = filter(OrderPlaced, ({ lines }) => lines.some(({ cents }) => cents >= 1_000));
// #endregion

// #region split
import { split } from '@millrace/transforms';

export const packEachLine = split(OrderPlaced, Pack, ({ orderId, lines }) =>
  lines.map(({ sku }) => ({ orderId, sku })),
);
// #endregion

// #region aggregate
import { aggregate } from '@millrace/transforms';

@Event('warehouse.line-packed', { key: 'orderId' })
export class LinePacked {
  @IsString() orderId!: string;
  @IsString() sku!: string;
  @IsInt() lines!: number;
}

@Event('warehouse.order-packed', { key: 'orderId' })
export class OrderPacked {
  @IsString() orderId!: string;
  @IsArray() skus!: readonly string[];
}

export const wholeOrder = aggregate(LinePacked, OrderPacked, {
  by: ({ orderId }) => orderId,
  count: ([first]) => first!.lines,
  withinMs: 3_600_000,
  combine: (packed, end) =>
    end === 'timeout' ? undefined : { orderId: packed[0]!.orderId, skus: packed.map(({ sku }) => sku) },
});
// #endregion

// #region route
import { route } from '@millrace/transforms';

export const bySize = route(OrderPlaced, ['letters', 'parcels'], ({ lines }) =>
  lines.length === 1 ? 'letters' : 'parcels',
);

@Injectable()
export class Dispatch {
  readonly sent: string[] = [];

  @On(OrderPlaced, { route: 'letters' })
  letter({ orderId }: OrderPlaced): void {
    this.sent.push(`letter ${orderId}`);
  }

  @On(OrderPlaced)
  parcel({ orderId }: OrderPlaced): void {
    this.sent.push(`parcel ${orderId}`);
  }
}
// #endregion

// #region contexts
import { Handles } from '@millrace/broker';

export const nearest = route(Pack, ['north', 'south'], ({ sku }) => (sku < 'm' ? 'north' : 'south'));

@Injectable()
export class Depot {
  readonly packed: string[] = [];

  @Handles(Pack, { routed: true })
  pack({ sku }: Pack): Packed {
    this.packed.push(sku);
    return Object.assign(new Packed(), { sku });
  }
}
// #endregion

// #region recipients
import { recipientList } from '@millrace/transforms';

export const everywhere = recipientList(Pack, ['north', 'south'], ({ sku }) =>
  sku === 'catalogue' ? ['north', 'south'] : ['north'],
);
// #endregion

// #region tap
import { wireTap } from '@millrace/transforms';

@Reply('audit.noted')
export class Noted {}

@Command('audit.note')
export class Note extends Command<Noted> {
  @IsString() text!: string;
}

export const audited = wireTap(OrderPlaced, Note, ({ orderId }) => ({ text: `${orderId} was placed` }));
// #endregion

// #region slip
import { routingSlip } from '@millrace/transforms';

export const throughTheWorkshop = routingSlip(Pack, ['engraving', 'wrapping'], ({ sku }) =>
  sku.startsWith('ring') ? ['engraving', 'wrapping'] : ['wrapping'],
);

@Injectable()
export class Engraving {
  @Handles(Pack, { routed: true })
  engrave(pack: Pack): Pack {
    return Object.assign(new Pack(), { ...pack, sku: `${pack.sku}, engraved` });
  }
}

@Injectable()
export class Wrapping {
  @Handles(Pack, { routed: true })
  wrap({ sku }: Pack): Packed {
    return Object.assign(new Packed(), { sku: `${sku}, wrapped` });
  }
}
// #endregion

// #region compress
import { compress } from '@millrace/transforms';

export const small = BrokerModule.forFeature({ outbound: [compress({ overBytes: 2_048, encoding: 'br' })] });
// #endregion

// #region claims
import { PARTITION_STORE } from '@millrace/broker';
import type { PartitionStore } from '@millrace/broker';
import { claimCheck, restoreClaims } from '@millrace/transforms';

export const publishesLargeData = BrokerModule.forFeatureAsync({
  inject: [PARTITION_STORE],
  useFactory: ({ claims }: PartitionStore) => ({ outbound: [claimCheck(claims, { overBytes: 65_536 })] }),
});

export const consumesLargeData = BrokerModule.forFeatureAsync({
  inject: [PARTITION_STORE],
  useFactory: ({ claims }: PartitionStore) => ({ inbound: [restoreClaims(claims)] }),
});
// #endregion

// #region claims of some
export const onlyOrders = (claims: PartitionStore['claims']) => claimCheck(claims, { of: [OrderPlaced] });
// #endregion

// What the page does not show: how an order gets out.
import { Publisher } from '@millrace/broker';

@Injectable()
export class OrderDesk {
  constructor(private readonly publisher: Publisher) {}

  async place(order: Partial<OrderPlaced>): Promise<void> {
    const whole = { orderId: 'o-1', email: 'ada@example.com', lines: [], currency: 'EUR', ...order };
    await this.publisher.publish(Object.assign(new OrderPlaced(), whole));
  }
}
