import { explore } from './explore.js';
import { placeOrder } from './place-order.fixture.js';
import { Trip } from './trip.fixture.js';

describe('exploring a saga', () => {
  it('goes every way of an order', () => {
    const result = explore(placeOrder);
    console.log(String(result));

    expect(result.exhausted).toBe(true);
    expect(result.endings).toMatchObject({ completed: expect.any(Number), compensated: expect.any(Number) });
  });

  it('goes ways of a trip, with every kind of node, until there are too many', () => {
    const result = explore(Trip, { maxStates: 3000 });
    console.log(String(result));

    expect(result.exhausted).toBe(false);
  });
});
