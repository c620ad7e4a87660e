import { Event } from '@millrace/messages';
import { translate } from '@millrace/transforms';
import { ProductAdded } from '@shop/contracts/catalog';
import type { Data } from '@shop/contracts/data';
import { Money } from '@shop/contracts/money';
import { Type } from 'class-transformer';
import { IsNotEmpty, IsObject, IsString, ValidateNested } from 'class-validator';

/** In the words of this context, which sells products and does not store them: there is a product, at a price. */
@Event('order.product-offered', { key: 'sku' })
export class ProductOffered {
  @IsString() @IsNotEmpty() readonly sku!: string;
  @IsString() @IsNotEmpty() readonly name!: string;
  @IsObject() @ValidateNested() @Type(() => Money) readonly price!: Money;

  constructor(data: Data<ProductOffered>) {
    Object.assign(this, data);
  }
}

/** What the catalog adds is offered; how many it has is its own affair. */
export const fromCatalog = [translate(ProductAdded, ProductOffered, ({ sku, name, price }) => ({ sku, name, price }))];
