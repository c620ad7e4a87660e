import { Projection, Projects } from '@millrace/event-store';
import type { View } from '@millrace/event-store';
import { ApiProperty } from '@nestjs/swagger';
import { ProductAdded, StockHeld, StockReturned } from '@shop/contracts/catalog';
import { Price } from '../price.js';

/** A product as the catalog shows it. */
export class ListedProduct {
  @ApiProperty() sku!: string;
  @ApiProperty() name!: string;
  @ApiProperty() price!: Price;
  /** Pieces on the shelf. */
  @ApiProperty() available!: number;
  /** Pieces held for orders. */
  @ApiProperty() held!: number;
}

@Projection('products')
export class ProductList {
  @Projects(ProductAdded)
  added({ sku, name, price, stock }: ProductAdded, view: View<ListedProduct>): void {
    view.put(sku, { sku, name, price, available: stock, held: 0 });
  }

  @Projects(StockHeld)
  held({ sku, quantity }: StockHeld, view: View<ListedProduct>): Promise<void> {
    return move(view, sku, quantity);
  }

  @Projects(StockReturned)
  returned({ sku, quantity }: StockReturned, view: View<ListedProduct>): Promise<void> {
    return move(view, sku, -quantity);
  }
}

function move(view: View<ListedProduct>, sku: string, quantity: number): Promise<void> {
  return view.update(sku, (product) => {
    if (!product) throw new Error(`stock of ${sku} moves, but it was never added`);
    return { ...product, available: product.available - quantity, held: product.held + quantity };
  });
}
