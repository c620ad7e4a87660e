import { Handles } from '@millrace/broker';
import { InjectRepository, Repository } from '@millrace/event-store';
import type { RepositoryOf } from '@millrace/event-store';
import { Injectable } from '@nestjs/common';
import { OutOfStock, ReleaseStock, ReserveStock, StockReleased, StockReserved } from '@shop/contracts/catalog';
import type { StockLine } from '@shop/contracts/catalog';
import { Product } from '../domain/product.js';
import { reservation } from '../domain/reservation.js';

/** Reserves and releases stock for orders. Everything one command changes is one commit, however many products. */
@Injectable()
export class StockHandlers {
  constructor(
    @InjectRepository(Product) private readonly products: Repository<Product>,
    @InjectRepository(reservation) private readonly reservations: RepositoryOf<typeof reservation>,
  ) {}

  @Handles(ReserveStock)
  async reserve({ orderId, lines }: ReserveStock): Promise<StockReserved | OutOfStock> {
    const { status, refusal } = (await this.reservations.load(orderId)).state;
    if (status === 'made') return new StockReserved({ orderId });
    if (status !== 'open') return new OutOfStock({ orderId, reason: refusal });

    const reason = await this.shortage(lines);
    if (reason !== undefined) {
      await this.reservations.decide(orderId, { kind: 'refuse', orderId, reason });
      return new OutOfStock({ orderId, reason });
    }
    for (const { sku, quantity } of lines) {
      await this.products.change(sku, (product) => product.hold(orderId, quantity));
    }
    await this.reservations.decide(orderId, { kind: 'make', orderId, lines });
    return new StockReserved({ orderId });
  }

  @Handles(ReleaseStock)
  async release({ orderId }: ReleaseStock): Promise<StockReleased> {
    const { lines } = (await this.reservations.load(orderId)).state;
    await this.reservations.decide(orderId, { kind: 'release', orderId });
    for (const { sku } of lines) await this.products.change(sku, (product) => product.giveBack(orderId));
    return new StockReleased({ orderId });
  }

  private async shortage(lines: readonly StockLine[]): Promise<string | undefined> {
    const products = await Promise.all(lines.map(({ sku }) => this.products.load(sku)));
    const short = lines.findIndex(({ quantity }, index) => products[index]!.available < quantity);
    if (short < 0) return undefined;
    const { id, available } = products[short]!;
    return `${id}: ${lines[short]!.quantity} wanted, ${available} available`;
  }
}
