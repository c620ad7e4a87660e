/** The code of docs/guides/event-sourcing.md, region by region. The specs beside it compare, compile, count and run it. */

// #region whole
import { BrokerModule } from '@millrace/broker';
import { Aggregate, AggregateRoot, Apply, EventStoreModule, Projection, Projects } from '@millrace/event-store';
import type { View } from '@millrace/event-store';
import { Event, Schema } from '@millrace/messages';
import { Module } from '@nestjs/common';
import { z } from 'zod';

@Event('desk.opened', { key: 'ticket' })
export class Opened extends Schema(z.object({ ticket: z.string(), to: z.string() })) {}

@Event('desk.assigned', { key: 'ticket' })
export class Assigned extends Schema(z.object({ ticket: z.string(), to: z.string() })) {}

@Event('desk.closed', { key: 'ticket' })
export class Closed extends Schema(z.object({ ticket: z.string() })) {}

@Aggregate('ticket')
export class Ticket extends AggregateRoot {
  private worker: string | undefined;

  giveTo(to: string): void {
    const given = { ticket: this.id, to };
    if (this.worker !== to) this.record(this.version === 0 ? new Opened(given) : new Assigned(given));
  }

  close(): void {
    if (this.worker !== undefined) this.record(new Closed({ ticket: this.id }));
  }

  @Apply(Opened) @Apply(Assigned) protected goesTo({ to }: Opened | Assigned): void {
    this.worker = to;
  }

  @Apply(Closed) protected closed(): void {
    this.worker = undefined;
  }
}

@Projection('workers')
export class Workers {
  @Projects(Opened) @Projects(Assigned) goesTo({ ticket, to }: Opened | Assigned, view: View<string>): void {
    view.put(ticket, to);
  }

  @Projects(Closed) closed({ ticket }: Closed, view: View<string>): void {
    view.delete(ticket);
  }
}

@Module({
  imports: [
    BrokerModule.forRoot({ context: 'desk' }),
    EventStoreModule.forFeature({ aggregates: [Ticket], projections: [Workers] }),
  ],
})
export class DeskModule {}
// #endregion

// #region use
import { InjectRepository, InjectView, ReadView, Repository } from '@millrace/event-store';
import { Injectable } from '@nestjs/common';

@Injectable()
export class FrontDesk {
  constructor(
    @InjectRepository(Ticket) private readonly tickets: Repository<Ticket>,
    @InjectView(Workers) private readonly workers: ReadView<string>,
  ) {}

  async give(ticket: string, to: string): Promise<void> {
    await this.tickets.change(ticket, (it) => it.giveTo(to));
  }

  workerOf(ticket: string): Promise<string | undefined> {
    return this.workers.get(ticket);
  }
}
// #endregion

// #region handler
import { Handles } from '@millrace/broker';
import { Command, Reply } from '@millrace/messages';

@Reply('desk.done')
export class Done extends Schema(z.object({ ticket: z.string() })) {}

@Command('desk.close', { key: 'ticket' })
export class Close extends Schema(z.object({ ticket: z.string() }))<Done> {}

@Injectable()
export class DeskHandlers {
  constructor(@InjectRepository(Ticket) private readonly tickets: Repository<Ticket>) {}

  @Handles(Close) // the command is done, its events stored and its reply sent: one commit, or none of it
  async close({ ticket }: Close): Promise<Done> {
    await this.tickets.change(ticket, (it) => it.close());
    return new Done({ ticket });
  }
}
// #endregion

// #region decider
import { decider, refuse } from '@millrace/event-store';

@Event('desk.seat-taken', { key: 'room' })
export class SeatTaken extends Schema(z.object({ room: z.string(), guest: z.string() })) {}

@Event('desk.seat-left', { key: 'room' })
export class SeatLeft extends Schema(z.object({ room: z.string(), guest: z.string() })) {}

export interface Wish {
  readonly kind: 'come' | 'go';
  readonly room: string;
  readonly guest: string;
}

export const room = decider({
  name: 'room',
  initial: (): { guests: readonly string[] } => ({ guests: [] }),
  evolve: (on) => [
    on(SeatTaken, ({ guests }, { guest }) => ({ guests: [...guests, guest] })),
    on(SeatLeft, ({ guests }, { guest }) => ({ guests: guests.filter((other) => other !== guest) })),
  ],
  decide: ({ kind, room, guest }: Wish, { guests }) => {
    if (guests.includes(guest) === (kind === 'come')) return []; // asked twice
    if (kind === 'go') return new SeatLeft({ room, guest });
    return guests.length < 2 ? new SeatTaken({ room, guest }) : refuse('the room is full');
  },
  snapshot: { every: 100 },
});
// #endregion

// #region decide
import type { RepositoryOf } from '@millrace/event-store';

@Injectable()
export class Porter {
  constructor(@InjectRepository(room) private readonly rooms: RepositoryOf<typeof room>) {}

  async ask(wish: Wish): Promise<string> {
    const { refusal, state } = await this.rooms.decide(wish.room, wish);
    return refusal ?? `welcome, guest ${state.guests.length}`;
  }
}

@Module({ imports: [EventStoreModule.forFeature({ aggregates: [room] })], providers: [Porter], exports: [Porter] })
export class RoomsModule {}
// #endregion

// #region snapshot
@Event('desk.coin-put')
export class CoinPut extends Schema(z.object({ cents: z.number().int() })) {}

@Aggregate('till', { snapshot: { every: 100, version: 1 } })
export class Till extends AggregateRoot {
  private coins = new Map<number, number>();

  put(cents: number): void {
    this.record(new CoinPut({ cents }));
  }

  toSnapshot() {
    return { coins: [...this.coins] };
  }

  fromSnapshot({ coins }: ReturnType<Till['toSnapshot']>): void {
    this.coins = new Map(coins);
  }

  @Apply(CoinPut) protected hasCoin({ cents }: CoinPut): void {
    this.coins.set(cents, (this.coins.get(cents) ?? 0) + 1);
  }
}
// #endregion

// #region views
import { Projections } from '@millrace/event-store';
import type { Page, ProjectionContext } from '@millrace/event-store';

export interface Job {
  readonly ticket: string;
  readonly worker: string;
  readonly since: string;
}

const indexes = { worker: ({ worker }: Job) => worker, since: ({ since }: Job) => new Date(since) };

@Projection('jobs', { version: 1, indexes })
export class Jobs {
  @Projects(Opened) @Projects(Assigned) goesTo(
    { ticket, to }: Opened | Assigned,
    view: View<Job>,
    { envelope }: ProjectionContext,
  ): void {
    view.put(ticket, { ticket, worker: to, since: envelope.time! });
  }

  @Projects(Closed) closed({ ticket }: Closed, view: View<Job>): void {
    view.delete(ticket);
  }
}

@Injectable()
export class Board {
  constructor(
    @InjectRepository(Ticket) private readonly tickets: Repository<Ticket>,
    @InjectView(Jobs) private readonly jobs: ReadView<Job, typeof indexes>,
    private readonly projections: Projections,
  ) {}

  jobsOf(worker: string, cursor?: string): Promise<Page<Job>> {
    return this.jobs.list({ index: 'worker', equals: worker, limit: 20, cursor });
  }

  newest(): Promise<Page<Job>> {
    return this.jobs.list({ index: 'since', backwards: true, limit: 10 });
  }

  async give(ticket: string, to: string): Promise<Page<Job>> {
    await this.tickets.change(ticket, (it) => it.giveTo(to));
    await this.projections.waitFor(Jobs);
    return this.jobsOf(to); // with this ticket
  }
}
// #endregion

// #region live
import { EventStore, live } from '@millrace/event-store';

export const handovers = live({ initial: () => 0, evolve: (on) => [on(Assigned, (count) => count + 1)] });

@Injectable()
export class History {
  constructor(private readonly events: EventStore) {}

  async handoversOf(ticket: string): Promise<number> {
    return (await this.events.fold(handovers, { category: 'ticket', id: ticket })).state;
  }

  async handoversUntil(time: Date): Promise<number> {
    return (await this.events.fold(handovers, { category: 'ticket' }, { upTo: time })).state;
  }
}
// #endregion

// #region streams
@Event('desk.noted')
export class Noted extends Schema(z.object({ text: z.string() })) {}

@Event('desk.badge-given')
export class BadgeGiven extends Schema(z.object({ badge: z.string(), guest: z.string() })) {}

const holder = live({
  initial: (): string | undefined => undefined,
  evolve: (on) => [on(BadgeGiven, (_, { guest }) => guest)],
});

@Injectable()
export class Diary {
  constructor(private readonly events: EventStore) {}

  /** @param page how many notes the writer has seen */
  async write(day: string, text: string, page: number): Promise<boolean> {
    const { status } = await this.events.append(`diary-${day}`, [new Noted({ text })], { expected: page });
    return status !== 'conflict';
  }

  async lastNotes(day: string, limit: number): Promise<string[]> {
    const notes: string[] = [];
    for await (const { data } of this.events.read(`diary-${day}`, { backwards: true, limit })) {
      if (data instanceof Noted) notes.push(data.text);
    }
    return notes;
  }

  /** A badge has one holder, whoever gives it to whom at the same time. */
  async giveBadge(badge: string, guest: string): Promise<boolean> {
    const [key, tag] = ['badges', `badge:${badge}`];
    const { state, position } = await this.events.fold(holder, { tag }, { key });
    if (state !== undefined) return state === guest;
    const nothingSince = { query: [{ tags: [tag] }], after: position };
    const given = [new BadgeGiven({ badge, guest })];
    const { status } = await this.events.appendIf(given, nothingSince, { key, tags: [tag] });
    return status !== 'conflict';
  }
}

@Module({
  imports: [EventStoreModule.forFeature({ events: [Noted, BadgeGiven] })],
  providers: [Diary],
  exports: [Diary],
})
export class DiaryModule {}
// #endregion

// #region test
import { specify } from '@millrace/testing';

export function aRoomHasTwoSeats(): void {
  const { given } = specify(room);
  const [ann, bob, eve] = ['Ann', 'Bob', 'Eve'].map((guest) => new SeatTaken({ room: 'blue', guest }));

  given(ann!).when({ kind: 'come', room: 'blue', guest: 'Bob' }).then(bob!);
  given(ann!, bob!).when({ kind: 'come', room: 'blue', guest: 'Eve' }).thenRefuses('the room is full');
  given(ann!, bob!, new SeatLeft({ room: 'blue', guest: 'Ann' }))
    .when({ kind: 'come', room: 'blue', guest: 'Eve' })
    .then(eve!);
}

export function aTicketIsGivenOnce(): void {
  specify(Ticket, 't-1')
    .given(new Opened({ ticket: 't-1', to: 'Ann' }))
    .when((ticket) => ticket.giveTo('Ann'))
    .then(); // nothing
}
// #endregion

// #region versions
import { renamed, retired, upcast } from '@millrace/transforms';

@Event('desk.rated', { key: 'ticket', version: 2 })
export class Rated extends Schema(z.object({ ticket: z.string(), stars: z.number().int() })) {}

@Aggregate('rating')
export class Rating extends AggregateRoot {
  stars: readonly number[] = [];

  @Apply(Rated) protected rated({ stars }: Rated): void {
    this.stars = [...this.stars, stars];
  }
}

interface RatedV1 {
  readonly ticket: string;
  readonly grade: number; // 1 was the best
}

export const deskHistory = [
  renamed('desk.graded', Rated),
  upcast(Rated, { from: 1, to: 2 }, ({ ticket, grade }: RatedV1) => ({ ticket, stars: 6 - grade })),
  retired('desk.receipt-printed'),
];

@Module({
  imports: [BrokerModule.forFeature({ stored: deskHistory }), EventStoreModule.forFeature({ aggregates: [Rating] })],
})
export class RatingsModule {}
// #endregion
