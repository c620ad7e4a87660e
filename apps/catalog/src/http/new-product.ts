import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsNotEmptyObject, IsString, Length, Matches, Max, Min, ValidateNested } from 'class-validator';
import { Price } from '../price.js';

export const SKU = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** Body of `POST /products`. */
export class NewProduct {
  @ApiProperty({ pattern: SKU.source, example: 'mug-blue' })
  @Matches(SKU, { message: 'sku must be 1 to 64 letters, digits, hyphens or underscores' })
  sku!: string;

  @ApiProperty({ example: 'Blue mug' }) @IsString() @Length(1, 200) name!: string;

  @ApiProperty() @IsNotEmptyObject({ nullable: false }) @ValidateNested() @Type(() => Price) price!: Price;

  /** Pieces on the shelf. */
  @ApiProperty({ minimum: 0, maximum: 1_000_000, example: 100 }) @IsInt() @Min(0) @Max(1_000_000) stock!: number;
}
