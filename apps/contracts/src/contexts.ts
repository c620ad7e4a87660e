/**
 * The contexts of the shop with their partitions. The number is fixed when a context is created, and whoever first reads
 * or writes it creates it: so every service is given all numbers, and the services start in any order.
 *
 * Catalog has one partition, so that all products of an order are reserved in one commit.
 */
export const PARTITIONS = { catalog: 1, order: 4, payment: 4, 'place-order': 4 } as const;
