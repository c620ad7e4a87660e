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
  Board,
  Close,
  DeskHandlers,
  DeskModule,
  Diary,
  DiaryModule,
  Done,
  FrontDesk,
  History,
  Jobs,
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
  imports: [
    EventStoreModule.forFeature({ aggregates: [Till], projections: [Jobs] }),
    RoomsModule,
    RatingsModule,
    DiaryModule,
  ],
  providers: [FrontDesk, DeskHandlers, Board, History],
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

  it('lists the jobs of a worker as soon as they are given, and the newest of all', async () => {
    const board = app.get(Board);
    for (const ticket of ['j-1', 'j-2', 'j-3']) await board.give(ticket, 'Cleo');
    const { rows, cursor } = await board.give('j-3', 'Dan');
    expect(rows).toEqual([{ ticket: 'j-3', worker: 'Dan', since: expect.any(String) }]);
    expect(cursor).toBeUndefined();
    expect((await board.jobsOf('Cleo')).rows.map(({ ticket }) => ticket)).toEqual(['j-1', 'j-2']);
    const newest = (await board.newest()).rows.map(({ since }) => since);
    expect(newest.length).toBeGreaterThanOrEqual(3);
    expect(newest).toEqual(newest.toSorted().reverse());
  });

  it('counts how often a ticket went to somebody else, and how often any did before', async () => {
    const before = new Date();
    const history = app.get(History);
    const known = await history.handoversUntil(before);
    for (const worker of ['Ann', 'Bob', 'Cleo']) await front.give('h-1', worker);
    expect(await history.handoversOf('h-1')).toBe(2);
    expect(await history.handoversUntil(new Date(Date.now() + 60_000))).toBe(known + 2);
    expect(await history.handoversUntil(new Date(0))).toBe(0);
  });

  it('keeps a diary, and gives a badge to one guest', async () => {
    const diary = app.get(Diary);
    expect(await diary.write('monday', 'rain', 0)).toBe(true);
    expect(await diary.write('monday', 'sun', 0)).toBe(false);
    expect(await diary.write('monday', 'sun', 1)).toBe(true);
    expect(await diary.lastNotes('monday', 5)).toEqual(['sun', 'rain']);
    const given = await Promise.all(['Ann', 'Bob', 'Eve'].map((guest) => diary.giveBadge('7', guest)));
    expect(given.filter((got) => got)).toHaveLength(1);
    expect(await diary.giveBadge('7', 'Zoe')).toBe(false);
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
