import { InjectRepository, InjectView, ReadView, Repository } from '@millrace/event-store';
import { Body, Controller, Get, Param, Post } from '@nestjs/common';
import {
  ApiBadRequestResponse,
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiTags,
} from '@nestjs/swagger';
import { Money } from '@shop/contracts/money';
import { OwnWrites, Refusal, RefusedRequest } from '@shop/service';
import { Product } from '../domain/product.js';
import { ListedProduct, ProductList } from '../read-model/product-list.js';
import { NewProduct, SKU } from './new-product.js';

@ApiTags('products')
@Controller('products')
export class ProductsController {
  constructor(
    @InjectRepository(Product) private readonly products: Repository<Product>,
    @InjectView(ProductList) private readonly list: ReadView<ListedProduct>,
    private readonly own: OwnWrites,
  ) {}

  /** Puts a product on the shelf. */
  @Post()
  @ApiCreatedResponse({ type: ListedProduct })
  @ApiBadRequestResponse({ type: Refusal })
  @ApiConflictResponse({ type: Refusal, description: 'there is a product with this SKU' })
  async add(@Body() { sku, name, price, stock }: NewProduct): Promise<ListedProduct> {
    await this.products.change(sku, (product) => {
      if (product.version > 0) {
        throw new RefusedRequest(409, `there is a product '${sku}' already`, [{ field: 'sku', reason: 'is taken' }]);
      }
      product.add({ sku, name, price: new Money(price.amount, price.currency), stock });
    });
    return { sku, name, price, available: stock, held: 0 };
  }

  @Get()
  @ApiOkResponse({ type: [ListedProduct] })
  async all(): Promise<ListedProduct[]> {
    const rows = await this.own.list(ProductList, () => this.list.list());
    return rows.sort((a, b) => a.sku.localeCompare(b.sku));
  }

  @Get(':sku')
  @ApiOkResponse({ type: ListedProduct })
  @ApiNotFoundResponse({ type: Refusal })
  async one(@Param('sku') sku: string): Promise<ListedProduct> {
    const product = SKU.test(sku) ? await this.own.find(ProductList, () => this.list.get(sku)) : undefined;
    if (!product) throw new RefusedRequest(404, 'no such product', [{ field: 'sku', reason: 'is unknown' }]);
    return product;
  }
}
