import { ApiProperty } from '@nestjs/swagger';
import { PAYMENT_METHODS } from '@shop/contracts/order';
import type { PaymentMethod } from '@shop/contracts/order';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsInt,
  IsISO4217CurrencyCode,
  IsString,
  Length,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import type { Amount } from '../read-model/known-product.js';

export class NewOrderLine {
  @ApiProperty({ example: 'mug-blue' })
  @Matches(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, {
    message: 'sku must be 1 to 64 letters, digits, hyphens or underscores',
  })
  sku!: string;

  @ApiProperty({ minimum: 1, maximum: 1000, example: 2 }) @IsInt() @Min(1) @Max(1000) quantity!: number;
}

/** Body of `POST /orders`. */
export class NewOrder {
  @ApiProperty({ example: 'customer-7' }) @IsString() @Length(1, 128) customerId!: string;

  @ApiProperty({ type: [NewOrderLine], minItems: 1, maxItems: 100 })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(100)
  @ArrayUnique((line: NewOrderLine | null) => line?.sku, { message: 'lines must have one line for a sku' })
  @ValidateNested({ each: true })
  @Type(() => NewOrderLine)
  lines!: NewOrderLine[];

  /** The currency of the products' prices. */
  @ApiProperty({ example: 'EUR' }) @IsISO4217CurrencyCode() currency!: string;

  @ApiProperty({ enum: PAYMENT_METHODS }) @IsIn(PAYMENT_METHODS) paymentMethod!: PaymentMethod;
}

/** Answer to `POST /orders`. */
export class AcceptedOrder {
  @ApiProperty({ format: 'uuid' }) orderId!: string;
  @ApiProperty({ example: 'placed' }) status!: string;
  @ApiProperty() total!: Amount;
}
