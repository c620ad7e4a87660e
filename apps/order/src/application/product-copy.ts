import { Broker, On, UnitOfWork } from '@millrace/broker';
import { ReadView } from '@millrace/event-store';
import { Injectable } from '@nestjs/common';
import { fromCatalog, ProductOffered } from '../domain/product-words.js';
import { KnownProduct } from '../read-model/known-product.js';

/**
 * What the order service knows of the catalog's products: a copy of its own, fed by the catalog's events, so that orders
 * are taken while the catalog is down.
 */
@Injectable()
export class ProductCopy {
  private readonly view: ReadView<KnownProduct>;

  constructor(private readonly broker: Broker) {
    this.view = new ReadView(broker, 'product-copy.v1');
  }

  /** The row and the acknowledgement of the event are one commit. */
  @On(ProductOffered, { inbound: fromCatalog })
  copy({ sku, name, price }: ProductOffered): void {
    const value = JSON.stringify({ sku, name, price } satisfies KnownProduct);
    UnitOfWork.current()?.stage(this.broker.partitionFor(sku), {
      writes: [{ kind: 'row', view: this.view.name, id: sku, value }],
    });
  }

  find(sku: string): Promise<KnownProduct | undefined> {
    return this.view.get(sku);
  }

  all(): Promise<KnownProduct[]> {
    return this.view.list();
  }
}
