import { Aggregate, AggregateRoot, Apply } from '@millrace/event-store';
import { ReservationMade, ReservationRefused, ReservationReleased } from '@shop/contracts/catalog';
import type { StockLine } from '@shop/contracts/catalog';

/** What became of an order's wish for stock. Once it is released or refused, it stays so: a late wish is refused. */
@Aggregate('reservation')
export class Reservation extends AggregateRoot {
  status: 'open' | 'made' | 'refused' | 'released' = 'open';
  refusal = 'the reservation was released before it was made';
  private lines: readonly StockLine[] = [];

  make(lines: readonly StockLine[]): void {
    this.record(new ReservationMade({ orderId: this.id, lines }));
  }

  refuse(reason: string): void {
    this.record(new ReservationRefused({ orderId: this.id, reason }));
  }

  /** Ends it, also before it began. Answers what is to be put back. */
  release(): readonly StockLine[] {
    const { lines } = this;
    if (this.status === 'open' || this.status === 'made') this.record(new ReservationReleased({ orderId: this.id }));
    return lines;
  }

  @Apply(ReservationMade) protected made({ lines }: ReservationMade): void {
    this.status = 'made';
    this.lines = lines;
  }

  @Apply(ReservationRefused) protected refused({ reason }: ReservationRefused): void {
    this.status = 'refused';
    this.refusal = reason;
  }

  @Apply(ReservationReleased) protected released(): void {
    this.status = 'released';
    this.lines = [];
  }
}
