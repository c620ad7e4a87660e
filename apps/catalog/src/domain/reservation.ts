import { decider } from '@millrace/event-store';
import { ReservationMade, ReservationRefused, ReservationReleased } from '@shop/contracts/catalog';
import type { StockLine } from '@shop/contracts/catalog';

/** What became of an order's wish for stock. */
export interface ReservationState {
  readonly status: 'open' | 'made' | 'refused' | 'released';
  /** Why it cannot be made any more. */
  readonly refusal: string;
  /** What is held. */
  readonly lines: readonly StockLine[];
}

export type ReservationStep =
  | { readonly kind: 'make'; readonly orderId: string; readonly lines: readonly StockLine[] }
  | { readonly kind: 'refuse'; readonly orderId: string; readonly reason: string }
  /** Ends it, also before it began. */
  | { readonly kind: 'release'; readonly orderId: string };

/** Once it is released or refused, it stays so: a late wish is refused. */
export const reservation = decider({
  name: 'reservation',
  initial: (): ReservationState => ({
    status: 'open',
    refusal: 'the reservation was released before it was made',
    lines: [],
  }),
  evolve: (on) => [
    on(ReservationMade, (state, { lines }) => ({ ...state, status: 'made', lines })),
    on(ReservationRefused, (state, { reason }) => ({ ...state, status: 'refused', refusal: reason })),
    on(ReservationReleased, (state) => ({ ...state, status: 'released', lines: [] })),
  ],
  decide: (step: ReservationStep, { status }) => {
    const { orderId } = step;
    switch (step.kind) {
      case 'make':
        return status === 'open' ? new ReservationMade({ orderId, lines: step.lines }) : [];
      case 'refuse':
        return status === 'open' ? new ReservationRefused({ orderId, reason: step.reason }) : [];
      case 'release':
        return status === 'open' || status === 'made' ? new ReservationReleased({ orderId }) : [];
    }
  },
});
