import { spawnSync } from 'node:child_process';
import { Parser } from '@asyncapi/parser';
import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  BrokerModule,
  describe as describeApp,
  Every,
  Handles,
  InMemoryPartitionStore,
  On,
  openOffline,
  topologyDrawings,
  topologyMermaid,
  topologyText,
} from '@millrace/broker';
import { Aggregate, AggregateRoot, Apply, EventStoreModule, Projection, Projects } from '@millrace/event-store';
import { Command, Event, Reply } from '@millrace/messages';
import { saga, Saga, sagaChart, SagaModule } from '@millrace/saga';
import { filter, route, translate } from '@millrace/transforms';
import { IsString } from 'class-validator';
import { builtCommand, commandOf } from '../support/program-of.js';
import { onTestFinished } from '../support/redis.js';

@Event('desk.asked', { key: 'who', version: 2 })
class Asked {
  @IsString() who!: string;
}

@Reply('desk.answered')
class Answered {}

@Command('desk.ask', { replies: [Answered] })
class Ask extends Command<Answered> {
  @IsString() who!: string;
}

@Command('hall.ask')
class AskHall extends Command<Answered> {}

@Event('hall.opened')
class HallOpened {}

@Event('desk.opened')
class Opened {}

@Aggregate('visitor')
class Visitor extends AggregateRoot {
  @Apply(Asked) protected asked(): void {}
}

@Projection('visits')
class Visits {
  @Projects(Asked) asked(): void {}
}

@Saga('answer')
class Answer {
  readonly definition = saga<{ who: string }>()
    .startsOn(Asked, ({ who }) => ({ who }))
    .step('ask', (s) => s.sends(({ who }) => Object.assign(new AskHall(), { who })).onReply(Answered));
}

@Injectable()
class Clerk {
  @Handles(Ask) ask(): Answered {
    return new Answered();
  }
  @On(Asked, { group: 'mailer' }) mail(): void {}
  @On(Opened, { from: 'hall' }) opened(): void {}
}

const store = new InMemoryPartitionStore();

@Module({
  imports: [
    BrokerModule.forRoot({ context: 'desk', partitions: 1, store }),
    BrokerModule.forRoot({ name: 'archive', context: 'archive', store }),
    BrokerModule.forFeature({
      publishes: [Asked],
      inbound: [translate(HallOpened, Opened, () => ({}))],
      outbound: [translate(AskHall, Ask, () => ({ who: '' }))],
    }),
    EventStoreModule.forFeature({ aggregates: [Visitor], projections: [Visits] }),
    SagaModule.forFeature([Answer]),
  ],
  providers: [Clerk],
})
class DeskModule {}

const look = async () => {
  const app = await openOffline(DeskModule);
  onTestFinished(() => app.close());
  return describeApp(app);
};

describe('a topology', () => {
  it('says who publishes, what passes which transforms, who consumes, and in which group', async () => {
    const [desk, archive] = await look();
    expect(`\n${topologyText(desk!)}\n`).toBe(`
desk, 1 partition
  sends
    desk.answered                                             to whoever asked  by Clerk.ask
    desk.asked v2                                             to desk feed      by aggregate visitor
    desk.asked v2                                             to desk feed      by code of the service
    hall.ask -> [translate hall.ask -> desk.ask] -> desk.ask  to desk in        by saga answer
    saga.ended                                                to desk feed      by saga answer
    saga.parked                                               to desk feed      by saga answer
    saga.started                                              to desk feed      by saga answer
    saga.turned                                               to desk feed      by saga answer
  receives
    any reply to a saga                                                   from desk in    group desk              by sagas
    desk.answered                                                         from desk in    group desk              by sagas
    desk.ask                                                              from desk in    group desk              by Clerk.ask
    desk.asked v2                                                         from desk feed  group desk.mailer       by Clerk.mail
    desk.asked v2                                                         from desk feed  group desk.saga.answer  by saga answer
    desk.asked v2                                                         from desk feed  without a group         by projection visits.v1
    hall.opened -> [translate hall.opened -> desk.opened] -> desk.opened  from hall feed  group desk              by Clerk.opened
    saga.lock                                                             from desk in    group desk              by sagas
    saga.start                                                            from desk in    group desk              by sagas
    saga.undo-child                                                       from desk in    group desk              by sagas
    saga.unlock                                                           from desk in    group desk              by sagas
    saga.wake                                                             from desk in    group desk              by sagas
`);
    expect(archive).toMatchObject({ connection: 'archive', context: 'archive', sends: [], receives: [] });
    expect(topologyText(archive!)).toContain("archive (connection 'archive'), 4 partitions");
  });

  it('is the same of an application that runs', async () => {
    const module = await Test.createTestingModule({ imports: [DeskModule] }).compile();
    onTestFinished(() => module.close());
    await module.init();
    expect(describeApp(module)).toEqual(await look());
  });

  it('is drawn', async () => {
    const lines = topologyMermaid(await look()).split('\n');
    const node = (label: string) => {
      const found = lines.find((line) => line.includes(`"${label}"`));
      expect([label, found]).toEqual([label, expect.any(String)]);
      return /^ +(n\d+)/.exec(found!)![1]!;
    };
    const edges: [string, string, string][] = [
      ['code of the service', 'desk.asked', 'desk feed'],
      ['saga answer', 'hall.ask', 'translate hall.ask -> desk.ask'],
      ['translate hall.ask -> desk.ask', 'desk.ask', 'desk in'],
      ['desk in', 'desk.ask', 'Clerk.ask'],
      ['Clerk.ask', 'desk.answered', 'whoever asked'],
      ['hall feed', 'hall.opened', 'translate hall.opened -> desk.opened'],
      ['translate hall.opened -> desk.opened', 'desk.opened', 'Clerk.opened'],
      ['desk feed', 'desk.asked', 'Clerk.mail<br/>group desk.mailer'],
      ['desk feed', 'desk.asked', 'projection visits.v1'],
    ];
    expect(lines[0]).toBe('flowchart LR');
    expect(lines).toContain('  subgraph s0["desk"]');
    for (const [from, type, to] of edges) expect(lines).toContain(`  ${node(from)} -- "${type}" --> ${node(to)}`);
  });
});

describe('the sagas of a service', () => {
  it('are drawn, each as a Mermaid state diagram under its name', async () => {
    const [desk, archive] = await look();
    expect(desk!.drawings).toEqual([{ of: 'saga answer', mermaid: sagaChart(new Answer()) }]);
    expect(archive!.drawings).toEqual([]);
    expect(topologyDrawings([archive!, desk!])).toMatch(/^%% saga answer\nstateDiagram-v2\n/);
    expect(topologyDrawings([archive!])).toMatch(/^%% nothing is drawn/);
  }, 60_000);
});

describe('transforms, routes and schedules', () => {
  @Every('0 6 * * *', () => Object.assign(new Ask(), { who: 'nobody' }))
  @Injectable()
  class Desk {
    @On(Asked, { route: 'night' }) atNight(): void {}
    @On(Asked) byDay(): void {}
    @On(Opened, { group: 'door', inbound: [translate(HallOpened, Opened, () => ({}))] }) opened(): void {}
    @Handles(Ask) ask(): Answered {
      return new Answered();
    }
  }
  const settings = { context: 'desk', partitions: 1, store };

  it('of groups and handlers are shown of an application that was not started', async () => {
    const app = await openOffline({
      module: class App {},
      imports: [
        BrokerModule.forRoot({ ...settings, groups: { door: { inbound: [filter(HallOpened, () => true)] } } }),
        BrokerModule.forFeature({
          inbound: [route(Asked, ['night', 'day'], ({ who }) => (who === 'owl' ? 'night' : 'day'))],
        }),
      ],
      providers: [Desk],
    });
    onTestFinished(() => app.close());
    const text = topologyText(describeApp(app)[0]!);
    expect(text).toContain('by @Every on Desk');
    expect(text).toMatch(
      /desk\.asked v2 -> \[route desk\.asked.*\] +from desk feed +group desk +by Desk\.atNight on route night/,
    );
    expect(text).toMatch(
      /hall\.opened -> \[filter .*\] -> \[translate .*\] -> desk\.opened +from hall feed +group desk\.door/,
    );
  });

  it('that cannot work are refused without starting it', async () => {
    const app = await openOffline({
      module: class App {},
      imports: [BrokerModule.forRoot({ ...settings, groups: { nobody: { concurrency: 1 } } })],
      providers: [Desk],
    });
    onTestFinished(() => app.close());
    expect(() => describeApp(app)).toThrow("groups: { 'nobody' } gives options to a group that no handler has");
  });
});

describe('the command', () => {
  const run = (...words: string[]) => start(builtCommand('broker', 'millrace'), words);
  const start = (program: string, words: readonly string[]) => {
    const result = spawnSync(process.execPath, [program, ...words], { encoding: 'utf8', timeout: 30_000 });
    // Why it has said nothing: it was not started, or took too long.
    if (result.error) throw result.error;
    return result;
  };
  const order = 'apps/order/dist/app.module.js#OrderModule.forRoot';

  it('prints the topology of an application without its Redis', () => {
    expect(run('describe', order).stdout).toMatch(
      /order\.confirm +from order in +group order +by OrderHandlers\.confirm/,
    );
  });

  it('prints it as a chart, and as data', () => {
    expect(run('describe', '--mermaid', order).stdout).toMatch(/^flowchart LR\n/);
    expect(JSON.parse(run('describe', '--json', order).stdout)).toMatchObject([{ context: 'order', partitions: 4 }]);
  }, 60_000);

  it('prints its sagas as charts', () => {
    const { stdout } = run('describe', '--sagas', 'apps/orchestrator/dist/app.module.js#OrchestratorModule.forRoot');
    expect(stdout).toMatch(/^%% saga place-order\nstateDiagram-v2\n/);
    expect(stdout).toContain('state "undo capture payment"');
    expect(run('describe', '--sagas', order).stdout).toMatch(/^%% nothing is drawn/);
  }, 60_000);

  it('prints the AsyncAPI document', async () => {
    const { document, diagnostics } = await new Parser().parse(run('asyncapi', order).stdout);
    expect(diagnostics.filter(({ severity }) => severity === 0)).toEqual([]);
    expect([document!.version(), document!.info().title()]).toEqual(['3.0.0', 'order']);
    expect(document!.operations().all().length).toBeGreaterThan(4);
  });

  // Only applications load packages beside those of the command.
  const bundled = commandOf('broker', 'millrace');
  it.each([
    [[], bundled, 'usage:'],
    [['draw', order], bundled, 'usage:'],
    [['describe', 'nothing.js'], bundled, 'there is no nothing.js: build the application first'],
    [
      ['describe', 'apps/order/dist/app.module.js'],
      builtCommand('broker', 'millrace'),
      "exports no 'AppModule': it has OrderModule, createApp",
    ],
  ])('says what is wrong with %j', (words, program, message) => {
    const { status, stderr } = start(program, words);
    expect(status).toBe(1);
    expect(stderr).toContain(message);
  });
});
