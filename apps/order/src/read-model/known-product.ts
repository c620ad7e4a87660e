import { ApiProperty } from '@nestjs/swagger';

export class Amount {
  /** Minor units: 1990 EUR is 19.90 euros. */
  @ApiProperty({ example: 1990 }) amount!: number;
  @ApiProperty({ example: 'EUR' }) currency!: string;
}

/** A product as the order service knows it. */
export class KnownProduct {
  @ApiProperty() sku!: string;
  @ApiProperty() name!: string;
  @ApiProperty() price!: Amount;
}
