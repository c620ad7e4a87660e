import { eventually } from '../support/redis.js';
import { meet, outcomeOf, reaches, SkippingClock, STORES } from './meet.js';
import { Billing, BillingModule, Subscription, SubscriptionBegun } from './subscription.js';
import { SubscriptionCancelled, SubscriptionsModule } from './subscription.js';

describe.each(STORES)('a subscription in %s', (_store, meeting) => {
  async function open(months: number) {
    const clock = new SkippingClock();
    const { subscriptions, billing } = await meet(
      meeting(),
      { subscriptions: SubscriptionsModule, billing: BillingModule },
      clock,
    );
    const since = new Date(clock.now()).toISOString();
    await subscriptions.publisher.publish(new SubscriptionBegun('s1', since, months));
    await reaches(subscriptions, Subscription, 's1', () => true);
    const { invoices } = billing.app.get(Billing, { strict: false });
    return {
      invoices,
      /** A month passes. */
      invoiced: async (count: number) => {
        clock.skip(31 * 24 * 60 * 60 * 1000);
        await eventually(() => expect(invoices).toHaveLength(count));
      },
      cancel: () => subscriptions.publisher.publish(new SubscriptionCancelled('s1')),
      outcome: () => outcomeOf(subscriptions, Subscription, 's1'),
    };
  }

  it('is invoiced once a month until it is over', async () => {
    const { invoiced, invoices, outcome } = await open(3);
    for (const count of [1, 2, 3]) await invoiced(count);

    expect(await outcome()).toMatchObject({ status: 'completed', state: { ended: 'over' } });
    expect(new Set(invoices).size).toBe(3);
  });

  it('is not invoiced any more once it is cancelled', async () => {
    const { invoiced, invoices, cancel, outcome } = await open(12);
    await invoiced(1);
    await cancel();

    expect(await outcome()).toMatchObject({ status: 'completed', state: { ended: 'cancelled' } });
    expect(invoices).toHaveLength(1);
  });
});
