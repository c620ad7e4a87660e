import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Broker, InMemoryPartitionStore, PARTITION_STORE, Requester } from '@millrace/broker';
import { EventStoreModule, getRepositoryToken } from '@millrace/event-store';
import type { Repository } from '@millrace/event-store';
import type { DynamicModule } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { TestingModule } from '@nestjs/testing';
import { eventually } from '../support/redis.js';
import {
  aRoomHasTwoSeats,
  aTicketIsGivenOnce,
  Close,
  DeskHandlers,
  DeskModule,
  Done,
  FrontDesk,
  Porter,
  Rating,
  RatingsModule,
  RoomsModule,
  Ticket,
  Till,
} from './event-sourcing.js';
import { page, root, snippets } from './pages.js';

/** The module of the guide, with the providers that the guide adds to it. */
const desk: DynamicModule = {
  module: DeskModule,
  imports: [EventStoreModule.forFeature({ aggregates: [Till] }), RoomsModule, RatingsModule],
  providers: [FrontDesk, DeskHandlers],
};

describe('the code of the guide to event sourcing', () => {
  const store = new InMemoryPartitionStore();
  let app: TestingModule;
  let front: FrontDesk;

  beforeAll(async () => {
    app = await Test.createTestingModule({ imports: [desk] })
      .overrideProvider(PARTITION_STORE)
      .useValue(store)
      .compile();
    app.useLogger(false);
    await app.init();
    front = app.get(FrontDesk);
  });
  afterAll(() => app.close());

  it('begins with an aggregate of three events, a projection and their module, in at most 45 lines', () => {
    const [whole] = snippets(page('docs/guides/event-sourcing.md'));
    expect(whole!.code.split('\n').filter((line) => line.trim() !== '').length).toBeLessThanOrEqual(45);
    expect(whole!.code.match(/^@Event\(/gm)).toHaveLength(3);
    for (const part of ['@Aggregate(', '@Projection(', '@Module(']) expect(whole!.code).toContain(part);
    expect(readFileSync(join(root, 'test/docs/event-sourcing.ts'), 'utf8')).toContain(whole!.code);
    expect(snippets(page('README.md'))[1]!.code).toBe(whole!.code);
  });

  it('gives a ticket to a worker, to another, and closes it by command', async () => {
    await front.give('t-1', 'Ann');
    await eventually(async () => expect(await front.workerOf('t-1')).toBe('Ann'));
    await front.give('t-1', 'Bob');
    await front.give('t-1', 'Bob');
    await eventually(async () => expect(await front.workerOf('t-1')).toBe('Bob'));
    expect(await app.get(Requester).request(new Close({ ticket: 't-1' }))).toEqual(new Done({ ticket: 't-1' }));
    await eventually(async () => expect(await front.workerOf('t-1')).toBeUndefined());
    const tickets = app.get<Repository<Ticket>>(getRepositoryToken(Ticket), { strict: false });
    expect(await tickets.load('t-1')).toMatchObject({ version: 3 });
  });

  it('lets two guests into a room', async () => {
    const porter = app.get(Porter);
    const ask = (kind: 'come' | 'go', guest: string) => porter.ask({ kind, room: 'blue', guest });
    expect(await ask('come', 'Ann')).toBe('welcome, guest 1');
    expect(await ask('come', 'Bob')).toBe('welcome, guest 2');
    expect(await ask('come', 'Bob')).toBe('welcome, guest 2');
    expect(await ask('come', 'Eve')).toBe('the room is full');
    await ask('go', 'Ann');
    expect(await ask('come', 'Eve')).toBe('welcome, guest 2');
  });

  it('keeps a snapshot of a till with every hundred coins', async () => {
    const tills = app.get<Repository<Till>>(getRepositoryToken(Till), { strict: false });
    await tills.change('left', (till) => Array.from({ length: 120 }, (_, n) => till.put(n % 2 ? 10 : 50)));
    const states = await Promise.all(
      [0, 1, 2, 3].map((index) => store.readState({ context: 'desk', index }, 'snapshot.till-left')),
    );
    const kept = states.flatMap((state) => (state ? [JSON.parse(state.value) as object] : []));
    expect(kept).toMatchObject([{ version: 120, reducer: 1, state: { coins: [[50, 60], [10, 60]] } }]); // prettier-ignore
    expect((await tills.load('left')).toSnapshot()).toEqual({ coins: [[50, 60], [10, 60]] }); // prettier-ignore
  });

  it('says what rooms and tickets do, without a store', () => {
    expect(aRoomHasTwoSeats).not.toThrow();
    expect(aTicketIsGivenOnce).not.toThrow();
  });

  it('reads ratings of every version, and passes what is retired', async () => {
    const broker = app.get(Broker);
    const stored = (type: string, data: object, schemaversion = 1) =>
      JSON.stringify({ specversion: '1.0', id: randomUUID(), source: '/desk', type, schemaversion, data });
    const events = [
      stored('desk.graded', { ticket: 't-1', grade: 1 }),
      stored('desk.receipt-printed', {}),
      stored('desk.rated', { ticket: 't-1', grade: 3 }),
      stored('desk.rated', { ticket: 't-1', stars: 4 }, 2),
    ];
    const written = await broker.commit({
      partition: broker.partitionFor('t-1'),
      guards: [],
      writes: [{ kind: 'append', stream: 'rating-t-1', events }],
    });
    expect(written.status).toBe('committed');
    const ratings = app.get<Repository<Rating>>(getRepositoryToken(Rating), { strict: false });
    expect(await ratings.load('t-1')).toMatchObject({ stars: [5, 3, 4], version: 4 });
  });
});
