import { ApiProperty } from '@nestjs/swagger';
import { MAX_AMOUNT } from '@shop/contracts/money';
import { IsInt, IsISO4217CurrencyCode, Max, Min } from 'class-validator';

export class Price {
  /** Minor units: 1990 EUR is 19.90 euros. */
  @ApiProperty({ minimum: 0, maximum: MAX_AMOUNT, example: 1990 })
  @IsInt()
  @Min(0)
  @Max(MAX_AMOUNT)
  amount!: number;

  @ApiProperty({ example: 'EUR' }) @IsISO4217CurrencyCode() currency!: string;
}
