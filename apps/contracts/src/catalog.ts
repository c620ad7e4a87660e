import { Command, Event, Reply } from '@millrace/messages';
import { Type } from 'class-transformer';
import {
  ArrayNotEmpty,
  ArrayUnique,
  IsInt,
  IsNotEmpty,
  IsObject,
  IsString,
  Min,
  ValidateNested,
} from 'class-validator';
import type { Data } from './data.js';
import { Money } from './money.js';

/** How many of a product. */
export class StockLine {
  @IsString() @IsNotEmpty() readonly sku: string;
  @IsInt() @Min(1) readonly quantity: number;

  constructor(sku: string, quantity: number) {
    this.sku = sku;
    this.quantity = quantity;
  }
}

const skuOf = (line: StockLine | null) => line?.sku;

@Event('catalog.product-added', { key: 'sku', version: 2 })
export class ProductAdded {
  @IsString() @IsNotEmpty() readonly sku!: string;
  @IsString() @IsNotEmpty() readonly name!: string;
  @IsObject() @ValidateNested() @Type(() => Money) readonly price!: Money;
  /** Pieces on the shelf. */
  @IsInt() @Min(0) readonly stock!: number;

  constructor(data: Data<ProductAdded>) {
    Object.assign(this, data);
  }
}

/** Pieces were taken from the shelf for an order. */
@Event('catalog.stock-held', { key: 'sku' })
export class StockHeld {
  @IsString() @IsNotEmpty() readonly sku!: string;
  @IsString() @IsNotEmpty() readonly orderId!: string;
  @IsInt() @Min(1) readonly quantity!: number;

  constructor(data: Data<StockHeld>) {
    Object.assign(this, data);
  }
}

/** What was held for an order is on the shelf again. */
@Event('catalog.stock-returned', { key: 'sku' })
export class StockReturned {
  @IsString() @IsNotEmpty() readonly sku!: string;
  @IsString() @IsNotEmpty() readonly orderId!: string;
  @IsInt() @Min(1) readonly quantity!: number;

  constructor(data: Data<StockReturned>) {
    Object.assign(this, data);
  }
}

@Event('catalog.reservation-made', { key: 'orderId' })
export class ReservationMade {
  @IsString() @IsNotEmpty() readonly orderId!: string;
  @ArrayNotEmpty() @ValidateNested({ each: true }) @Type(() => StockLine) readonly lines!: readonly StockLine[];

  constructor(data: Data<ReservationMade>) {
    Object.assign(this, data);
  }
}

/** The reservation of an order is over; without one before, it never begins. */
@Event('catalog.reservation-released', { key: 'orderId' })
export class ReservationReleased {
  @IsString() @IsNotEmpty() readonly orderId!: string;

  constructor(data: Data<ReservationReleased>) {
    Object.assign(this, data);
  }
}

@Event('catalog.reservation-refused', { key: 'orderId' })
export class ReservationRefused {
  @IsString() @IsNotEmpty() readonly orderId!: string;
  @IsString() @IsNotEmpty() readonly reason!: string;

  constructor(data: Data<ReservationRefused>) {
    Object.assign(this, data);
  }
}

@Reply('catalog.stock-reserved')
export class StockReserved {
  @IsString() @IsNotEmpty() readonly orderId!: string;

  constructor(data: Data<StockReserved>) {
    Object.assign(this, data);
  }
}

/** Nothing is reserved: either all lines are or none. */
@Reply('catalog.out-of-stock', { failure: true })
export class OutOfStock {
  @IsString() @IsNotEmpty() readonly orderId!: string;
  @IsString() @IsNotEmpty() readonly reason!: string;

  constructor(data: Data<OutOfStock>) {
    Object.assign(this, data);
  }
}

/** Reserves all lines of an order or none of them. Repeating it gets the first answer again. */
@Command('catalog.reserve-stock', { key: 'orderId', replies: [StockReserved, OutOfStock] })
export class ReserveStock extends Command<StockReserved, OutOfStock> {
  @IsString() @IsNotEmpty() readonly orderId!: string;
  @ArrayNotEmpty()
  @ArrayUnique(skuOf)
  @ValidateNested({ each: true })
  @Type(() => StockLine)
  readonly lines!: readonly StockLine[];

  constructor(data: Data<ReserveStock>) {
    super();
    Object.assign(this, data);
  }
}

@Reply('catalog.stock-released')
export class StockReleased {
  @IsString() @IsNotEmpty() readonly orderId!: string;

  constructor(data: Data<StockReleased>) {
    Object.assign(this, data);
  }
}

/** Ends the reservation of an order. When it comes first, a later `ReserveStock` is refused. */
@Command('catalog.release-stock', { key: 'orderId', replies: [StockReleased] })
export class ReleaseStock extends Command<StockReleased> {
  @IsString() @IsNotEmpty() readonly orderId!: string;

  constructor(data: Data<ReleaseStock>) {
    super();
    Object.assign(this, data);
  }
}
