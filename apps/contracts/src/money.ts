import { IsInt, IsISO4217CurrencyCode, Max, Min } from 'class-validator';

/** The most that one thing of the shop may cost, in minor units: sums of an order stay exact integers. */
export const MAX_AMOUNT = 1_000_000_000;

/** An amount in the minor unit of its currency: 1990 EUR is 19.90 euros. */
export class Money {
  @IsInt() @Min(0) @Max(Number.MAX_SAFE_INTEGER) readonly amount: number;
  @IsISO4217CurrencyCode() readonly currency: string;

  constructor(amount: number, currency: string) {
    this.amount = amount;
    this.currency = currency;
  }
}
