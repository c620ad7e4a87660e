/** 300 bytes of JSON, an order as a service would publish it. Its note is where latency keeps the time. */
export function orderData(number, note = 'leave it with the neighbours, second floor, please, thank you!') {
  return {
    orderId: `order-${String(number).padStart(12, '0')}`,
    customerId: 'customer-000042',
    lines: [
      { sku: 'book-typescript', quantity: 2, unitPrice: 3990 },
      { sku: 'pen-fine-black', quantity: 10, unitPrice: 120 },
    ],
    total: 9180,
    currency: 'EUR',
    note: String(note).padEnd(72, '.'),
  };
}

/** Orders share keys as customers do: one message in flight per key must not become one at a time. */
export const KEYS = 1000;
