import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { ProductCopy } from '../application/product-copy.js';
import { KnownProduct } from '../read-model/known-product.js';

@ApiTags('products')
@Controller('products')
export class KnownProductsController {
  constructor(private readonly products: ProductCopy) {}

  /** What can be ordered. */
  @Get()
  @ApiOkResponse({ type: [KnownProduct] })
  async all(): Promise<KnownProduct[]> {
    return (await this.products.all()).sort((a, b) => a.sku.localeCompare(b.sku));
  }
}
