import { specify } from '@millrace/testing';
import { ReservationMade, ReservationRefused, ReservationReleased, StockLine } from '@shop/contracts/catalog';
import { reservation } from './reservation.js';

describe('a reservation', () => {
  const orderId = 'o1';
  const lines = [new StockLine('cup', 2)];
  const made = new ReservationMade({ orderId, lines });
  const refused = new ReservationRefused({ orderId, reason: 'no cups' });
  const released = new ReservationReleased({ orderId });
  const { given } = specify(reservation, orderId);

  it('is made or refused while it is open', () => {
    given().when({ kind: 'make', orderId, lines }).then(made);
    given().when({ kind: 'refuse', orderId, reason: 'no cups' }).then(refused);
  });

  it('holds its lines until it is released', () => {
    const { aggregate } = given(made).when({ kind: 'make', orderId, lines }).then();
    expect(aggregate.state.lines).toEqual(lines);
    expect(given(made).when({ kind: 'release', orderId }).then(released).aggregate.state.lines).toEqual([]);
  });

  it('stays released, also when that came first, and refused', () => {
    given().when({ kind: 'release', orderId }).then(released);
    given(released).when({ kind: 'make', orderId, lines }).then();
    given(released).when({ kind: 'release', orderId }).then();
    given(refused).when({ kind: 'make', orderId, lines }).then();
    given(refused).when({ kind: 'release', orderId }).then();
  });
});
