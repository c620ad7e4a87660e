/** A subscription is invoiced every month, until its time is over or somebody cancels it. */
import { Handles } from '@millrace/broker';
import { Command, Event, Reply } from '@millrace/messages';
import { saga, Saga, SagaModule } from '@millrace/saga';
import { Injectable, Module } from '@nestjs/common';
import { IsIn, IsISO8601, IsInt, IsString } from 'class-validator';

@Event('subscriptions.begun', { key: 'subscription' })
export class SubscriptionBegun {
  @IsString() readonly subscription: string;
  @IsISO8601() readonly since: string;
  @IsInt() readonly months: number;

  constructor(subscription: string, since: string, months: number) {
    this.subscription = subscription;
    this.since = since;
    this.months = months;
  }
}

@Event('subscriptions.cancelled', { key: 'subscription' })
export class SubscriptionCancelled {
  @IsString() readonly subscription: string;

  constructor(subscription: string) {
    this.subscription = subscription;
  }
}

export type Ending = 'over' | 'cancelled';

@Event('subscriptions.ended', { key: 'subscription' })
export class SubscriptionEnded {
  @IsString() readonly subscription: string;
  @IsIn(['over', 'cancelled']) readonly how: Ending;

  constructor(subscription: string, how: Ending) {
    this.subscription = subscription;
    this.how = how;
  }
}

@Reply('billing.invoiced')
export class Invoiced {}

/** Billing sees to it that somebody pays. */
@Command('billing.invoice', { key: 'subscription' })
export class Invoice extends Command<Invoiced> {
  @IsString() readonly subscription: string;
  @IsISO8601() readonly due: string;

  constructor(subscription: string, due: string) {
    super();
    this.subscription = subscription;
    this.due = due;
  }
}

interface Running {
  readonly subscription: string;
  readonly since: string;
  readonly months: number;
  readonly ended?: Ending;
}

@Saga('subscription')
export class Subscription {
  readonly definition = saga<Running>()
    .startsOn(SubscriptionBegun, ({ subscription, since, months }) => ({ subscription, since, months }))
    .parallel(
      'until it ends',
      {
        over: (until) =>
          until.each('every month', daysDue, (month) =>
            month
              .sleep('until it is due', (_, due) => new Date(due))
              .step('invoice', (s) =>
                s
                  .sends(({ subscription }, due) => new Invoice(subscription, due))
                  .onReply(Invoiced)
                  .retries(5),
              ),
          ),
        cancelled: (until) => until.waitFor('cancellation', SubscriptionCancelled),
      },
      { join: 'any', onJoined: (running, [ended]) => ({ ...running, ended }) },
    )
    .onCompleted(({ subscription, ended }) => new SubscriptionEnded(subscription, ended!));
}

/** The first day of each month of the subscription. */
function daysDue({ since, months }: Running): string[] {
  return Array.from({ length: months }, (_, month) => {
    const day = new Date(since);
    day.setUTCMonth(day.getUTCMonth() + month + 1);
    return day.toISOString();
  });
}

@Module({ imports: [SagaModule.forFeature([Subscription])] })
export class SubscriptionsModule {}

@Injectable()
export class Billing {
  readonly invoices: string[] = [];

  @Handles(Invoice)
  invoice({ due }: Invoice): Invoiced {
    this.invoices.push(due.slice(0, 10));
    return new Invoiced();
  }
}

@Module({ providers: [Billing] })
export class BillingModule {}
