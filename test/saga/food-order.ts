/** A meal is ordered, may be changed for two minutes, and can be cancelled until the kitchen cooks it. */
import { Handles } from '@millrace/broker';
import { Command, Event, Reply } from '@millrace/messages';
import { saga, Saga, SagaModule } from '@millrace/saga';
import { Injectable, Module } from '@nestjs/common';
import { IsInt, IsString } from 'class-validator';

// ── what the guest says ─────────────────────────────────────────────────────────────────────────────────────────────

@Event('food.ordered', { key: 'order' })
export class FoodOrdered {
  @IsString() readonly order: string;
  @IsString({ each: true }) readonly dishes: readonly string[];
  @IsInt() readonly cents: number;

  constructor(order: string, dishes: readonly string[], cents: number) {
    this.order = order;
    this.dishes = dishes;
    this.cents = cents;
  }
}

@Event('food.order-revised', { key: 'order' })
export class FoodOrderRevised {
  @IsString() readonly order: string;
  @IsString({ each: true }) readonly dishes: readonly string[];
  @IsInt() readonly cents: number;

  constructor(order: string, dishes: readonly string[], cents: number) {
    this.order = order;
    this.dishes = dishes;
    this.cents = cents;
  }
}

// ── what the kitchen says ───────────────────────────────────────────────────────────────────────────────────────────

@Reply('kitchen.ticket-taken')
export class TicketTaken {}

@Reply('kitchen.dish-is-out', { failure: true })
export class DishIsOut {
  @IsString() readonly dish: string;

  constructor(dish: string) {
    this.dish = dish;
  }
}

@Reply('kitchen.ticket-torn-up')
export class TicketTornUp {}

/** A new ticket, or another one in its place. */
@Command('kitchen.take-ticket', { key: 'order' })
export class TakeTicket extends Command<TicketTaken, DishIsOut> {
  @IsString() readonly order: string;
  @IsString({ each: true }) readonly dishes: readonly string[];

  constructor(order: string, dishes: readonly string[]) {
    super();
    this.order = order;
    this.dishes = dishes;
  }
}

@Command('kitchen.tear-up-ticket', { key: 'order' })
export class TearUpTicket extends Command<TicketTornUp> {
  @IsString() readonly order: string;

  constructor(order: string) {
    super();
    this.order = order;
  }
}

@Event('kitchen.cooking', { key: 'order' })
export class Cooking {
  @IsString() readonly order: string;

  constructor(order: string) {
    this.order = order;
  }
}

@Event('kitchen.cooked', { key: 'order' })
export class Cooked {
  @IsString() readonly order: string;

  constructor(order: string) {
    this.order = order;
  }
}

// ── what the till says ──────────────────────────────────────────────────────────────────────────────────────────────

@Reply('till.card-charged')
export class CardCharged {}

@Command('till.charge-card', { key: 'order' })
export class ChargeCard extends Command<CardCharged> {
  @IsString() readonly order: string;
  @IsInt() readonly cents: number;

  constructor(order: string, cents: number) {
    super();
    this.order = order;
    this.cents = cents;
  }
}

// ── the saga ────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface Meal {
  readonly order: string;
  readonly dishes: readonly string[];
  readonly cents: number;
  readonly revised?: true;
}

@Saga('food-order')
export class FoodOrder {
  readonly definition = saga<Meal>()
    .startsOn(FoodOrdered, ({ order, dishes, cents }) => ({ order, dishes, cents }))
    .step('take ticket', (s) =>
      s
        .sends(({ order, dishes }) => new TakeTicket(order, dishes))
        .onReply(TicketTaken)
        .failsOn(DishIsOut, (_, { dish }) => `no more ${dish}`)
        .compensates(({ order }) => new TearUpTicket(order)),
    )
    .waitFor('revision', FoodOrderRevised, {
      onEvent: (meal, { dishes, cents }) => ({ ...meal, dishes, cents, revised: true }),
      orElse: { within: '2m' },
    })
    .when(
      'is revised',
      ({ revised }) => revised === true,
      (revision) =>
        revision.step('replace ticket', (s) =>
          s
            .sends(({ order, dishes }) => new TakeTicket(order, dishes))
            .onReply(TicketTaken)
            .failsOn(DishIsOut, (_, { dish }) => `no more ${dish}`),
        ),
    )
    .waitFor('cooking', Cooking)
    .pivot()
    .waitFor('cooked', Cooked)
    .step('charge card', (s) => s.sends(({ order, cents }) => new ChargeCard(order, cents)).untilDone());
}

// ── the services ────────────────────────────────────────────────────────────────────────────────────────────────────

@Module({ imports: [SagaModule.forFeature([FoodOrder])] })
export class FoodModule {}

@Injectable()
export class Kitchen {
  readonly tickets = new Map<string, readonly string[]>();

  @Handles(TakeTicket)
  take({ order, dishes }: TakeTicket): TicketTaken | DishIsOut {
    if (dishes.includes('oysters')) return new DishIsOut('oysters');
    this.tickets.set(order, dishes);
    return new TicketTaken();
  }

  @Handles(TearUpTicket)
  tearUp({ order }: TearUpTicket): TicketTornUp {
    this.tickets.delete(order);
    return new TicketTornUp();
  }
}

@Module({ providers: [Kitchen] })
export class KitchenModule {}

@Injectable()
export class Till {
  readonly charged = new Map<string, number>();

  @Handles(ChargeCard)
  charge({ order, cents }: ChargeCard): CardCharged {
    this.charged.set(order, cents);
    return new CardCharged();
  }
}

@Module({ providers: [Till] })
export class TillModule {}
