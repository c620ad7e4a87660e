import { Controller, Injectable } from '@nestjs/common';
import type { ModuleMetadata, Type } from '@nestjs/common';
import { EventPattern, MessagePattern } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import {
  AsyncApiModule,
  BrokerModule,
  Every,
  Handles,
  InMemoryPartitionStore,
  On,
  RedisStreamsServer,
} from '@millrace/broker';
import type { BrokerModuleOptions } from '@millrace/broker';
import { EventStoreModule, Projection, Projects } from '@millrace/event-store';
import { Command, Event, Reply, Schema } from '@millrace/messages';
import { SagaModule } from '@millrace/saga';
import {
  aggregate,
  claimCheck,
  downcast,
  enrich,
  filter,
  normalize,
  recipientList,
  route,
  routingSlip,
  split,
  translate,
  upcast,
  wireTap,
} from '@millrace/transforms';

@Event('desk.asked', { version: 3 })
class Asked {}

@Event('hall.opened')
class Opened {}

@Reply('desk.answered')
class Answered {}

@Command('desk.ask')
class Ask extends Command<Answered> {}

class Plain {}

/** A function as a program without types may call it. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever is declared with it
type Untyped = (...args: any[]) => any;

/** Starts a service, and stops it again. */
async function start(meta: ModuleMetadata, options: Partial<BrokerModuleOptions> = {}): Promise<void> {
  const all = { context: 'desk', partitions: 1, store: new InMemoryPartitionStore(), ...options };
  const module = await Test.createTestingModule({
    ...meta,
    imports: [BrokerModule.forRootAsync({ useFactory: () => all }), ...(meta.imports ?? [])],
  }).compile();
  try {
    await module.init();
  } finally {
    await module.close();
  }
}

/** A class whose method `handle` has these decorators. */
function having(...decorators: Untyped[]): Type<unknown> {
  class Desk {
    handle(): void {}
  }
  const { prototype } = Desk;
  for (const decorate of decorators) {
    decorate(prototype, 'handle', Object.getOwnPropertyDescriptor(prototype, 'handle'));
  }
  return Desk;
}

/** A class that overrides `handle`, a handler of its base class, in between another one that does nothing about it. */
function overriding(...decorators: Untyped[]): Type<unknown> {
  class Between extends (having(On(Asked) as Untyped) as Type<{ handle(): void }>) {}
  class SubDesk extends Between {
    override handle(): void {}
  }
  const { prototype } = SubDesk;
  for (const decorate of decorators) {
    decorate(prototype, 'handle', Object.getOwnPropertyDescriptor(prototype, 'handle'));
  }
  return SubDesk;
}

const handlers = (...decorators: Untyped[]) => start({ providers: [having(...decorators)] });

const every = (cron: unknown, message: unknown, options?: object) => async () => {
  class Clock {}
  (Every as Untyped)(cron, message, options)(Clock);
  await start({ providers: [Clock] });
};

const feature = (make: () => object) => async () =>
  start({ imports: [BrokerModule.forFeature(make())], providers: [having(On(Asked) as Untyped)] });

const pattern = (decorate: Untyped) => async () => {
  const type = having(decorate);
  Controller()(type);
  const module = await Test.createTestingModule({ controllers: [type] }).compile();
  const strategy = new RedisStreamsServer({ group: 'desk', store: new InMemoryPartitionStore() });
  const app = module.createNestMicroservice({ strategy });
  try {
    await app.listen();
  } finally {
    await app.close();
  }
};

const same = (data: object) => data;
const gathersOpened = () => aggregate(Opened, Asked, { count: 2, by: () => 'all', combine: () => ({}) });
const ask = () => new Ask();
const NAMED = "belongs to connection 'billing', which this application does not have: name one of 'default'";

type Refusal = [what: string, start: () => unknown, message: string];

describe('a service does not start with', () => {
  it.each<Refusal>([
    ['words for an expression', every('every day', ask), "@Every on Clock: 'every day' is no schedule: invalid"],
    ['a minute that is none', every('61 * * * *', ask), "'61 * * * *' is no schedule: Invalid value for minute: 61."],
    ['seven fields', every('* * * * * * *', ask), "Write five fields, as '*/5 * * * *', or six with seconds"],
    ['no expression', every(undefined, ask), "@Every on Clock: 'undefined' is no schedule"],
    ['a date', every('2030-01-01T00:00:00', ask), 'a date occurs once, give it as { at }'],
    ['what never occurs', every('0 0 30 2 *', ask), "@Every on Clock: '0 0 30 2 *' in time zone 'UTC' never occurs"],
    [
      'an unknown time zone',
      every('@daily', ask, { timeZone: 'Europe/Berln' }),
      "@Every on Clock: time zone 'Europe/Berln' is not known: write an IANA name, as 'Europe/Berlin'",
    ],
    ['a time zone in short', every('@daily', ask, { timeZone: 'CEST' }), "time zone 'CEST' is not known"],
    ['a message in place of a function', every('@daily', new Ask()), 'takes a function that makes its message'],
    ['a class in place of a function', every('@daily', Ask), "@Every('@daily') takes a function"],
    ['a class for a message', every('@daily', () => Ask), 'gives [class Ask extends Command] for a message'],
    ['no message', every('@daily', () => undefined), '@Every on Clock gives undefined for a message'],
    ['what is no message', every('@daily', () => new Plain()), '@Every on Clock: Plain is not a message: decorate'],
    ['a reply that recurs', every('@daily', () => new Answered()), '@Every on Clock: desk.answered is a reply'],
    ['a foreign event that recurs', every('@daily', () => new Opened()), "event hall.opened belongs to context 'hall'"],
    [
      'a message that cannot be made',
      every('@daily', () => {
        throw new Error('no clock');
      }),
      '@Every on Clock cannot make its message: no clock',
    ],
    ['a bad id', every('@daily', ask, { id: 'a b' }), '@Every on Clock: schedule "every:a b" cannot be used'],
  ])('a schedule: %s', refuses);

  it.each<Refusal>([
    [
      'a gap',
      feature(() => ({ stored: [upcast(Asked, { from: 1, to: 2 }, same)] })),
      'desk.asked has no upcast from version 2, Asked declares 3: add upcast(Asked, { from: 2, to: 3 }, ...)',
    ],
    [
      'a version that is not declared',
      feature(() => ({
        stored: [upcast(Asked, { from: 1, to: 2 }, same), upcast(Asked, { from: 2, to: 4 }, same)],
      })),
      "'upcast desk.asked 2 -> 4' leads to version 4, Asked declares 3: raise it",
    ],
    [
      'a cycle',
      feature(() => ({ stored: [upcast(Asked, { from: 2, to: 1 }, same)] })),
      "upcast of desk.asked leads from version 2 to 1: 'to' must be later, else it is a cycle",
    ],
    [
      'a wrong order',
      feature(() => ({
        stored: [upcast(Asked, { from: 2, to: 3 }, same), upcast(Asked, { from: 1, to: 2 }, same)],
      })),
      "'upcast desk.asked 1 -> 2' gives what 'upcast desk.asked 2 -> 3' takes: declare it before that",
    ],
    [
      'a version that is none',
      feature(() => ({ stored: [upcast(Asked, { from: NaN, to: 2 }, same)] })),
      'upcast of desk.asked names version NaN: versions are integers from 1',
    ],
    [
      'a downcast from nowhere',
      feature(() => ({ outbound: [downcast(Asked, { from: 2, to: 1 }, same)] })),
      "'downcast desk.asked 2 -> 1' takes a version that is never reached",
    ],
    [
      'a gap, also when it is started later',
      () =>
        start(
          { imports: [BrokerModule.forFeature({ stored: [upcast(Asked, { from: 1, to: 2 }, same)] })] },
          { autoStart: false },
        ),
      'desk.asked has no upcast from version 2',
    ],
    ['a name that is none', feature(() => ({ inbond: [] })), 'BrokerModule.forFeature has inbond, which is no option'],
    [
      'what is no transform',
      feature(() => ({ inbound: [{}] })),
      'it must be a list of transforms, such as upcast(...)',
    ],
    ['undefined', feature(() => ({ inbound: [undefined] })), 'BrokerModule.forFeature has inbound: [ undefined ]'],
    ['one without a list', feature(() => ({ inbound: filter(Asked, () => true) })), 'it must be a list of transforms'],
    [
      'none from a factory',
      () => start({ imports: [BrokerModule.forFeatureAsync({ useFactory: () => undefined as never })] }),
      'BrokerModule.forFeatureAsync has undefined for options',
    ],
    [
      'what is no transform, at a handler',
      () => handlers((On as Untyped)(Asked, { inbound: [same] })),
      '@On(Asked) has inbound',
    ],
    [
      'a route that no router declares',
      () => handlers((On as Untyped)(Asked, { route: 'books' })),
      "Desk.handle takes desk.asked on route 'books', which no router declares",
    ],
    [
      'an upcast without its function',
      feature(() => ({ stored: [(upcast as Untyped)(Asked, { from: 1, to: 2 })] })),
      "'upcast desk.asked 1 -> 2' has map: undefined; it must be a function",
    ],
    [
      'a downcast without its function',
      () => (downcast as Untyped)(Asked, { from: 3, to: 2 }, {}),
      "'downcast desk.asked 3 -> 2' has map: {}; it must be a function",
    ],
    [
      'an aggregate that does not say by what',
      feature(() => ({ inbound: [(aggregate as Untyped)(Asked, Opened, { count: 2, combine: same })] })),
      "'aggregate hall.opened' has by: undefined; it must be a function",
    ],
    [
      'an aggregate that combines nothing',
      () => (aggregate as Untyped)(Asked, Opened, { count: 2, by: () => 'all' }),
      "'aggregate hall.opened' has combine: undefined",
    ],
    [
      'an aggregate that is complete when a value says so',
      () => (aggregate as Untyped)(Asked, Opened, { when: true, by: () => 'all', combine: same }),
      "'aggregate hall.opened' has when: true; it must be a function",
    ],
    ['no translation', () => (translate as Untyped)(Opened, Asked), "'translate hall.opened -> desk.asked' has map"],
    ['nothing to add', () => (enrich as Untyped)(Opened, Asked), "'enrich hall.opened -> desk.asked' has add"],
    ['no parts', () => (split as Untyped)(Opened, Asked), "'split hall.opened -> desk.asked' has parts: undefined"],
    ['no condition', () => (filter as Untyped)(Asked), "'filter desk.asked' has accepts: undefined"],
    ['nothing to tap', () => (wireTap as Untyped)(Opened, Asked), "'wire-tap hall.opened -> desk.asked' has map"],
    ['no choice of a route', () => (route as Untyped)(Asked, ['a']), "'route desk.asked -> a' has choose: undefined"],
    [
      'no choice of recipients',
      () => (recipientList as Untyped)(Asked, ['a']),
      "'recipient-list desk.asked -> a' has choose: undefined",
    ],
    ['no choice of stops', () => (routingSlip as Untyped)(Ask, ['a']), "'routing-slip desk.ask -> a' has choose"],
    [
      'a shape without its mapping',
      () => normalize(Asked).accepts('old.asked', ((data: unknown) => data !== undefined) as never, undefined as never),
      "'normalize old.asked -> desk.asked' has map: undefined",
    ],
    [
      'a contract without its mapping',
      () => normalize(Asked).accepts(Opened, undefined as never),
      "'normalize hall.opened -> desk.asked' has map: undefined",
    ],
    [
      'an aggregate for every instance',
      () => handlers((On as Untyped)(Asked, { everyInstance: true, from: 'hall', inbound: [gathersOpened()] })),
      "'aggregate desk.asked' lies before Desk.handle, which has everyInstance: true and so no commit",
    ],
    [
      'a wire tap of the service for every instance',
      () =>
        start({
          imports: [BrokerModule.forFeature({ inbound: [wireTap(Asked, Ask, same)] })],
          providers: [having(On(Asked, { everyInstance: true }) as Untyped)],
        }),
      "'wire-tap desk.asked -> desk.ask' lies before Desk.handle",
    ],
    ['a claim store that is none', () => claimCheck({} as never), 'claim-check has no store'],
    ['a claim of no size', () => claimCheck(claims, { overBytes: NaN }), 'claim-check has overBytes: NaN'],
    ['a claim of nothing', () => claimCheck(claims, { of: [] }), 'claim-check has of: []; list at least one class'],
    ['a claim option', () => claimCheck(claims, { ttl: 5 } as object), 'claim-check has ttl, which is no option'],
  ])('transforms: %s', refuses);

  it.each<Refusal>([
    ['nothing', () => (Schema as Untyped)(undefined), 'Schema(undefined) takes a schema by Standard Schema 1'],
    ['an object', () => (Schema as Untyped)({ a: 'string' }), "Schema({ a: 'string' }) takes a schema"],
    ['a function', () => (Schema as Untyped)(same), 'Schema([Function: same]) takes a schema'],
    [
      'another version',
      () => (Schema as Untyped)({ '~standard': { version: 2, validate: same } }),
      'Standard Schema 1',
    ],
    [
      'an option that is none',
      () => Event('desk.done', { versoin: 2 } as object),
      "'desk.done' has versoin, which is no",
    ],
  ])('a schema or contract: %s', refuses);

  it.each<Refusal>([
    [
      'options that no handler has',
      () => start({ providers: [having(On(Asked, { group: 'mailer' }) as Untyped)] }, { groups: { mailr: {} } }),
      "groups: { 'mailr' } gives options to a group that no handler has: write one of 'mailer'",
    ],
    [
      'options that no handler has, also when it is started later',
      () =>
        start(
          { providers: [having(On(Asked, { group: 'mailer' }) as Untyped)] },
          { groups: { mailr: {} }, autoStart: false },
        ),
      "write one of 'mailer'",
    ],
    ['options without a handler', () => start({}, { groups: { mailer: {} } }), 'this service has no handlers'],
    ['a bad name', () => handlers((On as Untyped)(Asked, { group: 'a b' })), 'group "a b" cannot be used'],
    [
      'two handlers of one event',
      () => handlers(On(Asked) as Untyped, On(Asked) as Untyped),
      "Desk.handle and Desk.handle both handle desk.asked in group 'desk'",
    ],
    [
      'a group where there is none',
      () => handlers((On as Untyped)(Asked, { everyInstance: true, group: 'mailer' })),
      'Desk.handle has everyInstance: true and group',
    ],
  ])('a group: %s', refuses);

  it.each<Refusal>([
    ['a class that is not there', () => handlers((On as Untyped)(undefined)), 'undefined, in place of a class'],
    ['a command that is not there', () => handlers((Handles as Untyped)(undefined)), 'is not a message: decorate its'],
    [
      'a class that is no message',
      () => handlers((On as Untyped)(Plain)),
      'Plain is not a message: decorate its class',
    ],
    [
      'a command with @On',
      () => handlers((On as Untyped)(Ask)),
      '@On(Ask) takes an @Event; for commands write @Handles',
    ],
    ['an event with @Handles', () => handlers((Handles as Untyped)(Asked)), '@Handles(Asked) takes a @Command'],
    [
      'a handler that is overridden by what is none',
      () => start({ providers: [overriding()] }),
      'SubDesk.handle overrides Desk.handle, a handler of desk.asked, and is none: decorate it, too',
    ],
    ['batches of nothing', () => handlers((On as Untyped)(Asked, { batch: 0 })), 'Desk.handle has batches of 0'],
    ['a context that is none', () => handlers((On as Untyped)(Asked, { from: 'No' })), 'context "No" cannot be used'],
  ])('a handler: %s', refuses);

  it.each<Refusal>([
    ['a handler', () => handlers((On as Untyped)(Asked, { broker: 'billing' })), `Desk.handle ${NAMED}`],
    ['a schedule', every('@daily', ask, { broker: 'billing' }), `@Every on Clock ${NAMED}`],
    ['transforms', feature(() => ({ broker: 'billing' })), `BrokerModule.forFeature ${NAMED}`],
    [
      'sagas',
      () => start({ imports: [SagaModule.forFeature([], { broker: 'billing' })] }),
      `SagaModule.forFeature ${NAMED}`,
    ],
    [
      'projections',
      () => start({ imports: [EventStoreModule.forFeature({ projections: [totals()], broker: 'billing' })] }),
      `EventStoreModule.forFeature ${NAMED}`,
    ],
    [
      'transforms without any connection',
      () => Test.createTestingModule({ imports: [BrokerModule.forFeature({})] }).compile(),
      'which this application does not have: add BrokerModule.forRoot({ ... })',
    ],
    ['an empty name', () => BrokerModule.forRoot({ name: '', context: 'desk' }), "BrokerModule.forRoot has name: ''"],
  ])('a connection that is not there: %s', refuses);

  it.each<Refusal>([
    ['undefined', pattern(EventPattern(undefined)), 'pattern undefined cannot be sent: write a text'],
    ['an empty text', pattern(MessagePattern('')), "pattern '' cannot be sent"],
    ['an object without fields', pattern(EventPattern({})), 'pattern {} cannot be sent'],
    ['null', pattern(MessagePattern(null)), 'pattern null cannot be sent'],
    ['a function', pattern(EventPattern(same)), 'pattern [Function: same] cannot be sent'],
    [
      'a group that is no text',
      pattern(EventPattern('x', { group: 5 })),
      "pattern 'x' has group: 5; it must be a text",
    ],
  ])('a pattern of the transport: %s', refuses);

  it.each<Refusal>([
    [
      'no options',
      () => start({ imports: [BrokerModule.forRootAsync({ useFactory: () => undefined as never })] }),
      'BrokerModule.forRoot has undefined for options: write an object with context',
    ],
    [
      'undefined',
      () => BrokerModule.forRoot(undefined as never),
      'BrokerModule.forRoot has undefined for options: write',
    ],
    ['a text', () => BrokerModule.forRoot('desk' as never), "BrokerModule.forRoot has 'desk' for options"],
    [
      'nothing that makes options',
      () => BrokerModule.forRootAsync(undefined as never),
      'BrokerModule.forRootAsync has undefined for options: write an object with useFactory',
    ],
    ['a store that is none', () => start({}, { store: {} as never }), 'it must be a PartitionStore, such as'],
    ['partitions as text', () => start({}, { partitions: '4' as never }), "has partitions: '4'; it must be a number"],
    [
      'AsyncAPI',
      () => AsyncApiModule.forRoot({ titel: 'x' } as object),
      'AsyncApiModule.forRoot has titel, which is no',
    ],
    ['sagas', () => SagaModule.forFeature([], { connection: 'x' } as object), 'SagaModule.forFeature has connection'],
    ['no saga class', () => SagaModule.forFeature([undefined as never]), 'it must be a list of classes'],
    ['aggregates', () => EventStoreModule.forFeature({ agregates: [] } as object), 'has agregates, which is no option'],
    ['a projection', () => Projection('totals', { version: 0 }), "projection 'totals' has version: 0; it must be"],
  ])('a module: %s', refuses);
});

it('a service starts with a handler that is overridden by a handler, or inherited', async () => {
  class Heir extends (having(On(Asked) as Untyped) as Type<object>) {}
  await start({ providers: [overriding(On(Asked) as Untyped)] });
  await start({ providers: [Heir] });
});

async function refuses(_what: string, make: () => unknown, message: string): Promise<void> {
  const started = (async () => make())();
  await expect(started).rejects.toThrow(message);
  await expect(started).rejects.toMatchObject({
    code: expect.stringMatching(/^(configuration|invalid-type|undeclared)$/),
  });
}

const { claims } = new InMemoryPartitionStore();

function totals(): Type<object> {
  @Injectable()
  @Projection('totals')
  class Totals {
    @Projects(Asked) asked(): void {}
  }
  return Totals;
}
