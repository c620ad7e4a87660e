import { Handles } from '@millrace/broker';
import { InjectRepository, Repository } from '@millrace/event-store';
import { Injectable } from '@nestjs/common';
import { OutOfStock, ReleaseStock, ReserveStock, StockReleased, StockReserved } from '@shop/contracts/catalog';
import type { StockLine } from '@shop/contracts/catalog';
import { Product } from '../domain/product.js';
import { Reservation } from '../domain/reservation.js';

/** Reserves and releases stock for orders. Everything one command changes is one commit, however many products. */
@Injectable()
export class StockHandlers {
  constructor(
    @InjectRepository(Product) private readonly products: Repository<Product>,
    @InjectRepository(Reservation) private readonly reservations: Repository<Reservation>,
  ) {}

  @Handles(ReserveStock)
  async reserve({ orderId, lines }: ReserveStock): Promise<StockReserved | OutOfStock> {
    const { status, refusal } = await this.reservations.load(orderId);
    if (status === 'made') return new StockReserved({ orderId });
    if (status !== 'open') return new OutOfStock({ orderId, reason: refusal });

    const reason = await this.shortage(lines);
    if (reason !== undefined) {
      await this.reservations.change(orderId, (reservation) => reservation.refuse(reason));
      return new OutOfStock({ orderId, reason });
    }
    for (const { sku, quantity } of lines) {
      await this.products.change(sku, (product) => product.hold(orderId, quantity));
    }
    await this.reservations.change(orderId, (reservation) => reservation.make(lines));
    return new StockReserved({ orderId });
  }

  @Handles(ReleaseStock)
  async release({ orderId }: ReleaseStock): Promise<StockReleased> {
    const lines = await this.reservations.change(orderId, (reservation) => reservation.release());
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
