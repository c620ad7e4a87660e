import { randomBytes } from 'node:crypto';
import { BrokerModule, DataSubjects, DeadLetters, On, Publisher, RedisSubjectKeys } from '@millrace/broker';
import type { MessageContext } from '@millrace/broker';
import {
  Aggregate,
  AggregateRoot,
  Apply,
  EventStoreModule,
  getRepositoryToken,
  getViewToken,
  Projection,
  Projects,
} from '@millrace/event-store';
import type { ReadView, Repository, View } from '@millrace/event-store';
import { DataSubject, Event, isErased, PersonalData } from '@millrace/messages';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { IsEmail, IsString } from 'class-validator';
import { Redis } from 'ioredis';
import { eventually, freshNamespace, onTestFinished, redisUrl } from '../support/redis.js';

@Event('club.joined', { key: 'memberId' })
class Joined {
  @DataSubject() @IsString() memberId: string;
  @PersonalData({ placeholder: 'somebody' }) @IsString() name: string;
  @PersonalData() @IsEmail() email: string;

  constructor(memberId: string, name: string, email: string) {
    this.memberId = memberId;
    this.name = name;
    this.email = email;
  }
}

@Event('club.visited', { key: 'memberId' })
class Visited {
  @IsString() memberId: string;
  constructor(memberId: string) {
    this.memberId = memberId;
  }
}

class MemberRow {
  @DataSubject() memberId = '';
  @PersonalData({ placeholder: 'former member' }) name = '';
  visits = 0;
}

@Aggregate('member', { snapshot: { every: 3 } })
class Member extends AggregateRoot {
  name: string | null = '';
  email: string | null = '';
  visits = 0;

  join(name: string, email: string): void {
    this.record(new Joined(this.id, name, email));
  }
  visit(): void {
    this.record(new Visited(this.id));
  }
  @Apply(Joined) protected joined({ name, email }: Joined): void {
    this.name = name;
    this.email = email;
  }
  @Apply(Visited) protected visited(): void {
    this.visits++;
  }
}

@Projection('members', {
  personalData: MemberRow,
  indexes: { name: (row: MemberRow) => row.name, visits: (row: MemberRow) => row.visits },
})
class Members {
  @Projects(Joined) joined({ memberId, name }: Joined, view: View<MemberRow>): void {
    view.put(memberId, { memberId, name, visits: 0 });
  }
  @Projects(Visited) async visited({ memberId }: Visited, view: View<MemberRow>): Promise<void> {
    await view.update(memberId, (row) => row && { ...row, visits: row.visits + 1 });
  }
}

const tried: string[] = [];
const seen: { data: Joined; erased: boolean }[] = [];

@Injectable()
class Greeter {
  @On(Joined, { group: 'greeter' }) greet(joined: Joined, { envelope }: MessageContext): void {
    seen.push({ data: joined, erased: isErased(envelope) });
  }
  @On(Joined, { group: 'broken', retry: { attempts: 1 } }) fail({ name }: Joined): void {
    tried.push(name);
    throw new Error('no card printer');
  }
}

async function start(namespace: string, masterKey: Uint8Array) {
  const keys = new RedisSubjectKeys({ url: redisUrl(), namespace: `${namespace}-keys` });
  const module = await Test.createTestingModule({
    imports: [
      BrokerModule.forRoot({
        context: 'club',
        partitions: 2,
        namespace,
        redis: { url: redisUrl() },
        personalData: { keys, masterKey, cacheMs: 0 },
      }),
      EventStoreModule.forFeature({ aggregates: [Member], projections: [Members] }),
    ],
    providers: [Greeter],
  }).compile();
  const app = module.createNestApplication();
  app.enableShutdownHooks();
  await app.init();
  onTestFinished(() => app.close());
  return {
    app,
    members: app.get<Repository<Member>>(getRepositoryToken(Member)),
    view: app.get<ReadView<MemberRow>>(getViewToken(Members)),
    publisher: app.get(Publisher),
    subjects: app.get(DataSubjects),
    deadLetters: app.get(DeadLetters),
  };
}

/** Everything that Redis holds under a prefix, as one text. */
async function dump(prefix: string): Promise<string> {
  const redis = new Redis(redisUrl());
  const found: string[] = [];
  for await (const keys of redis.scanStream({ match: `*${prefix}*`, count: 1000 }) as AsyncIterable<string[]>) {
    for (const key of keys) {
      const read: Record<string, () => Promise<unknown>> = {
        string: () => redis.get(key),
        hash: () => redis.hgetall(key),
        list: () => redis.lrange(key, 0, -1),
        set: () => redis.smembers(key),
        zset: () => redis.zrange(key, '0', '-1'),
        stream: () => redis.xrange(key, '-', '+'),
      };
      found.push(`${key} ${JSON.stringify(await read[await redis.type(key)]?.())}`);
    }
  }
  redis.disconnect();
  return found.join('\n');
}

describe('personal data in a whole service', () => {
  const masterKey = randomBytes(32);
  beforeEach(() => void seen.splice(0));

  it('stand nowhere in Redis, and are readable everywhere until their person is forgotten', async () => {
    const namespace = freshNamespace();
    const { members, view, publisher, subjects, deadLetters } = await start(namespace, masterKey);
    await members.change('m1', (member) => member.join('Ada Lovelace', 'ada@example.org'));
    for (let visit = 0; visit < 3; visit++) await members.change('m1', (member) => member.visit());
    await members.change('m2', (member) => member.join('Bob Babbage', 'bob@example.org'));
    await publisher.publish(new Joined('m3', 'Cleo Curie', 'cleo@example.org'), { delayMs: 3_600_000 });

    await eventually(async () =>
      expect(await view.get('m1')).toEqual({ memberId: 'm1', name: 'Ada Lovelace', visits: 3 }),
    );
    await eventually(() => expect(seen).toHaveLength(2));
    await eventually(async () => expect((await deadLetters.list()).letters).toHaveLength(2));
    const kept = await dump(namespace);
    // Each place where they could be is there.
    for (const place of ['snapshot.member-m1', 'view:members', ':dead', ':timers', ':feed', 'subject-key:']) {
      expect(kept).toContain(place);
    }
    for (const text of ['Ada', 'Lovelace', 'ada@', 'Bob', 'bob@', 'Cleo', 'cleo@']) expect(kept).not.toContain(text);
    expect(seen.map(({ data }) => data.email).sort()).toEqual(['ada@example.org', 'bob@example.org']);
    expect(await members.load('m1')).toMatchObject({ name: 'Ada Lovelace', email: 'ada@example.org', visits: 3 });

    await subjects.forget('m1');
    expect(await members.load('m1')).toMatchObject({ name: 'somebody', email: null, visits: 3, version: 4 });
    expect(await view.get('m1')).toEqual({ memberId: 'm1', name: 'former member', visits: 3 });
    expect(await members.load('m2')).toMatchObject({ name: 'Bob Babbage' });
    await members.change('m1', (member) => member.visit());
    await eventually(async () => expect(await view.get('m1')).toMatchObject({ name: 'former member', visits: 4 }));
    expect((await view.list()).map(({ name }) => name).sort()).toEqual(['Bob Babbage', 'former member']);
  });

  it('that cannot be read any more are still handled, and projected again from the first event', async () => {
    const namespace = freshNamespace();
    const { members, subjects, deadLetters, view } = await start(namespace, masterKey);
    await members.change('m1', (member) => member.join('Ada Lovelace', 'ada@example.org'));
    await eventually(async () => expect((await deadLetters.list()).letters).toHaveLength(1));
    await eventually(async () => expect(await view.get('m1')).toMatchObject({ name: 'Ada Lovelace' }));
    await subjects.forget('m1');

    @Injectable()
    class Late {
      @On(Joined, { group: 'late' }) late(joined: Joined, { envelope }: MessageContext): void {
        seen.push({ data: joined, erased: isErased(envelope) });
      }
    }
    @Projection('names', { personalData: MemberRow })
    class Names {
      @Projects(Joined) joined({ memberId, name }: Joined, names: View<MemberRow>): void {
        names.put(memberId, { memberId, name, visits: 0 });
      }
    }
    const keys = new RedisSubjectKeys({ url: redisUrl(), namespace: `${namespace}-keys` });
    const module = await Test.createTestingModule({
      imports: [
        BrokerModule.forRoot({
          context: 'club',
          partitions: 2,
          namespace,
          redis: { url: redisUrl() },
          personalData: { keys, masterKey },
        }),
        EventStoreModule.forFeature({ projections: [Names] }),
      ],
      providers: [Late],
    }).compile();
    const app = module.createNestApplication();
    await app.init();
    onTestFinished(() => app.close());
    const names = app.get<ReadView<MemberRow>>(getViewToken(Names));
    await eventually(async () => expect(await names.get('m1')).toMatchObject({ name: 'former member' }));
    await eventually(() => expect(seen.some(({ erased }) => erased)).toBe(true));
    expect(seen.find(({ erased }) => erased)?.data).toEqual({ memberId: 'm1', name: 'somebody', email: null });
  });

  it('are encrypted again when a dead letter is edited', async () => {
    const { publisher, deadLetters } = await start(freshNamespace(), masterKey);
    await publisher.publish(new Joined('m1', 'Ada', 'ada@example.org'));
    const only = async () => (await deadLetters.list()).letters[0];
    await eventually(async () => expect(await only()).toMatchObject({ redriven: 0 }));
    const options = { as: Joined, edit: (joined: Joined) => ({ ...joined, name: `${joined.name} Lovelace` }) };
    expect(await deadLetters.redrive((await only())!.id, options)).toEqual({ status: 'redriven' });
    await eventually(async () => expect(await only()).toMatchObject({ redriven: 1, reason: 'handler-failed' }));
    expect(tried.at(-1)).toBe('Ada Lovelace');
    expect(JSON.stringify(await only())).not.toContain('Lovelace');
  });

  it('that were tampered with become a dead letter that says so', async () => {
    const namespace = freshNamespace();
    const { publisher, deadLetters } = await start(namespace, masterKey);
    await publisher.publish(new Joined('m1', 'Ada', 'ada@example.org'));
    await eventually(() => expect(seen).toHaveLength(1));
    const redis = new Redis(redisUrl());
    onTestFinished(async () => redis.disconnect());
    const feeds = await redis.keys(`{${namespace}:club:*}:feed`);
    const found = await Promise.all(feeds.map(async (feed) => ({ feed, entries: await redis.xrange(feed, '-', '+') })));
    const { feed, entries } = found.find((each) => each.entries.length > 0)!;
    const text = entries[0]![1][1]!;
    const message = JSON.parse(text) as { data: Joined };
    const swapped = { ...message, data: { ...message.data, name: message.data.email } };
    await redis.xadd(feed, '0-2', 'event', JSON.stringify(swapped));
    await eventually(async () => {
      const reasons = (await deadLetters.list()).letters.map(({ reason }) => reason);
      expect(reasons.filter((reason) => reason === 'tampered-data')).toHaveLength(2);
    });
  });

  it('keep a service from starting with another master key', async () => {
    const namespace = freshNamespace();
    await start(namespace, masterKey);
    await expect(start(namespace, randomBytes(32))).rejects.toThrow('were wrapped with master key');
  });

  it('keep a service from starting without keys', async () => {
    const module = await Test.createTestingModule({
      imports: [BrokerModule.forRoot({ context: 'club', namespace: freshNamespace(), redis: { url: redisUrl() } })],
      providers: [Greeter],
    }).compile();
    await expect(module.init()).rejects.toThrow("club.joined has personal data, and service 'club' no keys");
    await module.close();
  });
});

describe('a projection of events with personal data', () => {
  it('says what its rows hold', () => {
    @Projection('undecided')
    class Undecided {
      @Projects(Joined) joined(): void {}
    }
    const declare = () => EventStoreModule.forFeature({ projections: [Undecided] });
    expect(declare).toThrow(
      'projection Undecided takes club.joined, which has personal data: say which of them its rows hold',
    );
  });

  it('names a class that declares some', () => {
    class Plain {}
    expect(() => Projection('plain', { personalData: Plain })).toThrow('Plain, which declares none');
  });
});
