import { randomUUID } from 'node:crypto';
import { InMemoryPartitionStore, PARTITION_STORE, Publisher } from '@millrace/broker';
import { getRepositoryToken, getViewToken } from '@millrace/event-store';
import type { ReadView, Repository } from '@millrace/event-store';
import { Test } from '@nestjs/testing';
import type { TestingModule } from '@nestjs/testing';
import { eventually, redisUrl } from '../support/redis.js';
import { ClubModule, Joined, Member, Members, Reception, Welcome } from './personal-data.js';
import type { byVisits, MemberRow } from './personal-data.js';

describe('the code of the guide to personal data', () => {
  const store = new InMemoryPartitionStore();
  const ada = `ada-${randomUUID()}`;
  let app: TestingModule;
  let members: Repository<Member>;
  let view: ReadView<MemberRow, typeof byVisits>;

  beforeAll(async () => {
    process.env['KEYS_URL'] = redisUrl();
    // The same for all runs: a Redis keeps which master key its keys were wrapped with.
    process.env['MASTER_KEY'] = Buffer.alloc(32, 7).toString('base64');
    app = await Test.createTestingModule({ imports: [ClubModule] })
      .overrideProvider(PARTITION_STORE)
      .useValue(store)
      .compile();
    app.useLogger(false);
    await app.init();
    members = app.get<Repository<Member>>(getRepositoryToken(Member), { strict: false });
    view = app.get<ReadView<MemberRow, typeof byVisits>>(getViewToken(Members), { strict: false });
  });
  afterAll(async () => {
    delete process.env['KEYS_URL'];
    delete process.env['MASTER_KEY'];
    await app.close();
  });

  /** Everything that is stored of the member: events, snapshot, row. */
  async function stored(): Promise<string> {
    const all = await Promise.all(
      [0, 1, 2, 3].map(async (index) => {
        const partition = { context: 'club', index };
        return [
          await store.readStream(partition, `member-${ada}`),
          await store.readState(partition, `snapshot.member-${ada}`),
          await store.readRow(partition, 'members.v1', ada),
        ];
      }),
    );
    return JSON.stringify(all);
  }

  it('encrypts what is known of a member, and reads it', async () => {
    await members.change(ada, (member) => member.join('Ada', 'ada@example.org'));
    await members.change(ada, (member) => Array.from({ length: 100 }, () => member.visit()));
    await eventually(async () => expect(await view.get(ada)).toEqual({ memberId: ada, name: 'Ada', visits: 100 }));
    await eventually(() => expect(app.get(Welcome).written).toEqual(['ada@example.org: welcome, Ada']));
    expect(await members.load(ada)).toMatchObject({ name: 'Ada', email: 'ada@example.org', visits: 100 });
    const text = await stored();
    expect(text).toContain('"sealed');
    expect(text).toContain('personaldata');
    expect(text).not.toMatch(/Ada|@example/);
  });

  it('forgets the member, and goes on without', async () => {
    expect(await app.get(Reception).leave(ada)).toBe(true);
    expect(await app.get(Reception).leave(ada)).toBe(false);
    expect(await members.load(ada)).toMatchObject({ name: 'former member', email: null, visits: 100, version: 101 });
    expect(await view.get(ada)).toEqual({ memberId: ada, name: 'former member', visits: 100 });
    await members.change(ada, (member) => member.visit());
    await eventually(async () =>
      expect((await view.list({ index: 'visits', equals: 101 })).rows).toEqual([
        { memberId: ada, name: 'former member', visits: 101 },
      ]),
    );
  });

  it('writes no letter to somebody who was forgotten before', async () => {
    const eve = `eve-${randomUUID()}`;
    await app.get(Publisher).publish(new Joined(eve, 'Eve', 'eve@example.org'), { delayMs: 300 });
    expect(await app.get(Reception).leave(eve)).toBe(true);
    await eventually(async () => expect(await view.get(eve)).toMatchObject({ name: 'former member' }));
    await app.get(Publisher).publish(new Joined(eve, 'Eva', 'eva@example.org'));
    await eventually(() => expect(app.get(Welcome).written.at(-1)).toBe('eva@example.org: welcome, Eva'));
    expect(app.get(Welcome).written.join()).not.toContain('Eve');
  });
});
