import { ApiProperty } from '@nestjs/swagger';
import { PAYMENT_METHODS } from '@shop/contracts/order';
import type { PaymentMethod } from '@shop/contracts/order';
import { Amount } from './known-product.js';

export const STATUSES = ['placed', 'confirmed', 'rejected'] as const;
export type OrderStatus = (typeof STATUSES)[number];

export class ListedLine {
  @ApiProperty() sku!: string;
  @ApiProperty() quantity!: number;
  /** Minor units, as the price was when the order was placed. */
  @ApiProperty() unitPrice!: number;
}

/** An order as it is shown. */
export class ListedOrder {
  @ApiProperty() orderId!: string;
  @ApiProperty({ enum: STATUSES }) status!: OrderStatus;
  /** Why it was rejected. */
  @ApiProperty({ required: false }) reason?: string;
  @ApiProperty() customerId!: string;
  @ApiProperty({ type: [ListedLine] }) lines!: readonly ListedLine[];
  @ApiProperty() total!: Amount;
  @ApiProperty({ enum: PAYMENT_METHODS }) paymentMethod!: PaymentMethod;
  /** RFC 3339. */
  @ApiProperty() placedAt!: string;
  @ApiProperty({ required: false }) endedAt?: string;
}
