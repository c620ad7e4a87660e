import { Sagas } from '@millrace/saga';
import { eventually } from '../support/redis.js';
import { Cooked, Cooking, FoodModule, FoodOrder, FoodOrdered, FoodOrderRevised } from './food-order.js';
import { Kitchen, KitchenModule, Till, TillModule } from './food-order.js';
import { meet, outcomeOf, reaches, SkippingClock, STORES } from './meet.js';

describe.each(STORES)('a meal that is ordered in %s', (_store, meeting) => {
  async function open() {
    const clock = new SkippingClock();
    const services = await meet(meeting(), { food: FoodModule, kitchen: KitchenModule, till: TillModule }, clock);
    const { food, kitchen, till } = services;
    return {
      clock,
      guest: food.publisher,
      cook: kitchen.publisher,
      tickets: kitchen.app.get(Kitchen, { strict: false }).tickets,
      charged: till.app.get(Till, { strict: false }).charged,
      sagas: food.app.get(Sagas, { strict: false }),
      comesTo: (step: number) => reaches(food, FoodOrder, 'f1', ({ run }) => run.runs.length > step),
      outcome: () => outcomeOf(food, FoodOrder, 'f1'),
    };
  }
  const [REVISION, COOKING, COOKED] = [1, 3, 5];

  it('is cooked and paid as it was ordered, when nobody has changed it in time', async () => {
    const { clock, guest, cook, tickets, charged, comesTo, outcome } = await open();
    await guest.publish(new FoodOrdered('f1', ['soup'], 700));
    await comesTo(REVISION);
    clock.skip(2 * 60_000);
    await comesTo(COOKING);
    await cook.publish(new Cooking('f1'));
    await cook.publish(new Cooked('f1'));

    expect(await outcome()).toMatchObject({ status: 'completed' });
    expect([tickets.get('f1'), charged.get('f1')]).toEqual([['soup'], 700]);
  });

  it('is cooked and paid as it was revised', async () => {
    const { guest, cook, tickets, charged, comesTo, outcome } = await open();
    await guest.publish(new FoodOrdered('f1', ['soup'], 700));
    await guest.publish(new FoodOrderRevised('f1', ['soup', 'bread'], 900));
    await comesTo(COOKING);
    await cook.publish(new Cooking('f1'));
    await cook.publish(new Cooked('f1'));

    expect(await outcome()).toMatchObject({ status: 'completed', state: { revised: true } });
    expect([tickets.get('f1'), charged.get('f1')]).toEqual([['soup', 'bread'], 900]);
  });

  it('is not cooked at all, when the kitchen cannot do what was revised', async () => {
    const { guest, tickets, outcome } = await open();
    await guest.publish(new FoodOrdered('f1', ['soup'], 700));
    await guest.publish(new FoodOrderRevised('f1', ['oysters'], 2000));

    const out = { step: 'replace ticket', reason: 'no more oysters' };
    expect(await outcome()).toMatchObject({ status: 'compensated', failure: out });
    expect(tickets.size).toBe(0);
  });

  it('is cancelled until it is cooked, and not any more afterwards', async () => {
    const { clock, guest, cook, tickets, charged, sagas, comesTo, outcome } = await open();
    const change = { by: 'guest', reason: 'no time' };
    await guest.publish(new FoodOrdered('f1', ['soup'], 700));
    await comesTo(REVISION);
    await sagas.cancel(FoodOrder, 'f1', change);
    expect(await outcome()).toMatchObject({ status: 'compensated', failure: { reason: 'no time' } });
    expect([tickets.size, charged.size]).toEqual([0, 0]);

    await guest.publish(new FoodOrdered('f2', ['soup'], 700));
    await cook.publish(new Cooking('f2'));
    await reachesStart(sagas, 'f2');
    clock.skip(2 * 60_000);
    await reachesPivot(sagas, 'f2');
    await expect(sagas.cancel(FoodOrder, 'f2', change)).rejects.toThrow('past its pivot');
  });

  const reachesStart = (sagas: Sagas, id: string) => passes(sagas, id, REVISION);
  const reachesPivot = (sagas: Sagas, id: string) => passes(sagas, id, COOKED);
  const passes = (sagas: Sagas, id: string, step: number) =>
    eventually(async () => expect((await sagas.find(FoodOrder, id))!.run.runs.length).toBeGreaterThan(step));
});
