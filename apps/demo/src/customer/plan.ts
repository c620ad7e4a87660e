import { Random } from './random.js';

/** What is special about an order, and so how it must end. */
export type OrderKind = 'plain' | 'out-of-stock' | 'declined' | 'slow-authorize' | 'slow-capture';

export type PaymentMethod = 'card-ok' | 'card-declined' | 'card-slow' | 'card-slow-capture';

export interface PlannedOrder {
  readonly kind: OrderKind;
  /** Idempotency-Key. */
  readonly key: string;
  /** Each order has a customer of its own, so that an order placed twice can be seen in the ledger. */
  readonly customerId: string;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
  readonly paymentMethod: PaymentMethod;
  /** The impatient customer sends it twice at once, with the same key. */
  readonly sentTwice: boolean;
}

export interface PlannedProduct {
  readonly sku: string;
  readonly name: string;
  readonly price: { readonly amount: number; readonly currency: 'EUR' };
  readonly stock: number;
}

export interface Plan {
  readonly products: readonly PlannedProduct[];
  readonly orders: readonly PlannedOrder[];
}

/** Share of each kind, in percent; the rest is plain. */
const SHARES: readonly (readonly [OrderKind, number])[] = [
  ['out-of-stock', 14],
  ['declined', 12],
  ['slow-authorize', 7],
  ['slow-capture', 7],
];

const METHODS: Record<OrderKind, PaymentMethod> = {
  plain: 'card-ok',
  'out-of-stock': 'card-ok',
  declined: 'card-declined',
  'slow-authorize': 'card-slow',
  'slow-capture': 'card-slow-capture',
};

const SHELF: readonly (readonly [sku: string, name: string, cents: number])[] = [
  ['mug', 'Mug with a water wheel', 1290],
  ['poster', 'Poster of a mill', 1850],
  ['flour', 'Flour, 1 kg', 249],
  ['book-redis', 'Streams and how they flow', 3999],
  ['sticker', 'Sticker', 99],
];
const SCARCE = ['millstone', 'Millstone, the last ones', 19_900] as const;
const SCARCE_STOCK = 3;

/**
 * What is sold and ordered in one run. The same seed and number give the same plan, but for the run's name in all ids.
 * From 10 orders on every kind occurs.
 *
 * @param run makes SKUs, customers and keys unique, so that several runs can share one shop
 */
export function planOrders(seed: number, count: number, run = 'run'): Plan {
  const random = new Random(seed);
  const orders = random.shuffle(kinds(count)).map((kind, index): PlannedOrder => {
    const lines = random.shuffle(SHELF).slice(0, random.integer(1, 3));
    return {
      kind,
      key: `${run}-${index}`,
      customerId: `customer-${run}-${index}`,
      lines: [
        ...lines.map(([sku]) => ({ sku: `${sku}-${run}`, quantity: random.integer(1, 4) })),
        ...(kind === 'out-of-stock'
          ? [{ sku: `${SCARCE[0]}-${run}`, quantity: SCARCE_STOCK + random.integer(1, 5) }]
          : []),
      ],
      paymentMethod: METHODS[kind],
      sentTwice: index === 0 || random.integer(1, 20) === 1,
    };
  });
  return { orders, products: products(orders, run) };
}

function kinds(count: number): OrderKind[] {
  const special = SHARES.flatMap(([kind, percent]) => {
    const share = Math.round((count * percent) / 100);
    return new Array<OrderKind>(count >= 10 ? Math.max(1, share) : share).fill(kind);
  });
  return [...special, ...new Array<OrderKind>(count - special.length).fill('plain')];
}

/** Enough of everything that is not meant to be scarce. */
function products(orders: readonly PlannedOrder[], run: string): PlannedProduct[] {
  const wanted = new Map<string, number>();
  for (const { sku, quantity } of orders.flatMap(({ lines }) => lines)) {
    wanted.set(sku, (wanted.get(sku) ?? 0) + quantity);
  }
  const product = ([sku, name, amount]: (typeof SHELF)[number], stock?: number): PlannedProduct => {
    const id = `${sku}-${run}`;
    return { sku: id, name, price: { amount, currency: 'EUR' }, stock: stock ?? (wanted.get(id) ?? 0) + 10 };
  };
  return [...SHELF.map((item) => product(item)), product(SCARCE, SCARCE_STOCK)];
}
