import { Parser } from '@asyncapi/parser';
import type { OperationInterface } from '@asyncapi/parser';
import { Injectable, Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  asyncApi,
  AsyncApiModule,
  BrokerModule,
  Handles,
  InMemoryPartitionStore,
  On,
  openOffline,
} from '@millrace/broker';
import type { AsyncApiDocument } from '@millrace/broker';
import { Command, Event, Reply, Schema } from '@millrace/messages';
import { translate, upcast } from '@millrace/transforms';
import { CatalogModule } from '@shop/catalog';
import { OrchestratorModule } from '@shop/orchestrator';
import { OrderModule } from '@shop/order';
import { PaymentModule } from '@shop/payment';
import { type } from 'arktype';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Min, ValidateNested } from 'class-validator';
import request from 'supertest';
import * as v from 'valibot';
import { z } from 'zod';
import { onTestFinished } from '../support/redis.js';

class Line {
  @IsString() sku!: string;
  @IsInt() @Min(1) quantity!: number;
}

@Event('desk.asked', { key: 'who', version: 2 })
class Asked {
  @IsString() who!: string;
  @IsIn(['low', 'high']) urgency!: string;
  @IsOptional() @IsString() note?: string;
  @ValidateNested({ each: true }) @Type(() => Line) lines!: Line[];
}

@Event('desk.closed')
class Closed {}

@Event('desk.moved')
class Moved extends Schema(v.object({ to: v.pipe(v.string(), v.minLength(2)), floor: v.optional(v.number(), 0) })) {}

interface Folder {
  readonly name: string;
  readonly folders: readonly Folder[];
}
const Folder: z.ZodType<Folder, Folder> = z.object({
  name: z.string(),
  get folders() {
    return z.array(Folder);
  },
});

@Event('desk.filed')
class Filed extends Schema(z.object({ folder: Folder })) {}

@Reply('desk.answered')
class Answered extends Schema(type({ text: 'string' })) {}

@Reply('desk.refused', { failure: true })
class Refused {
  @IsString() reason!: string;
}

@Command('desk.ask', { key: 'who', replies: [Answered, Refused] })
class Ask extends Command<Answered, Refused> {
  @IsString() who!: string;
}

@Event('hall.opened')
class Opened {
  @IsInt() door!: number;
}

@Event('desk.opened')
class DeskOpened {
  @IsInt() number!: number;
}

@Injectable()
class Clerk {
  @Handles(Ask) ask(): Answered {
    return new Answered({ text: '' });
  }
  @On(Asked, { group: 'mailer' }) mail(): void {}
  @On(Opened) opened(): void {}
  @On(Filed) filed(): void {}
}

const settings = { context: 'desk', partitions: 2, namespace: 'office' };

@Module({
  imports: [
    BrokerModule.forRoot({ ...settings, store: new InMemoryPartitionStore() }),
    BrokerModule.forFeature({
      publishes: [Asked, Moved, Filed, Closed, Opened],
      inbound: [upcast(Asked, { from: 1, to: 2 }, (old) => old)],
      outbound: [translate(Opened, DeskOpened, ({ door }) => ({ number: door }))],
    }),
    AsyncApiModule.forRoot({ title: 'Desk', version: '2.1.0' }),
  ],
  providers: [Clerk],
})
class DeskModule {}

async function documentOf(module: DynamicModule | typeof DeskModule): Promise<AsyncApiDocument> {
  const app = await openOffline(module);
  onTestFinished(() => app.close());
  return asyncApi(app);
}

/** Reads a document as its users do. */
async function parsed(document: AsyncApiDocument) {
  const { document: read, diagnostics } = await new Parser().parse(JSON.stringify(document));
  expect(diagnostics.filter(({ severity }) => severity === 0)).toEqual([]);
  return read!;
}

const one = (operation: OperationInterface | undefined) => operation!.messages().all()[0]!;

describe('the AsyncAPI document of a service', () => {
  it('says what is sent and received on which log', async () => {
    const read = await parsed(await documentOf(DeskModule));
    const said = read
      .operations()
      .all()
      .map((operation) => {
        const channel = operation.channels().all()[0]!;
        return [operation.id(), operation.action(), channel.address(), one(operation).name()];
      });
    expect(said.sort()).toEqual([
      ['receive-desk-ask-desk', 'receive', 'office:desk:{partition}:in', 'desk.ask'],
      ['receive-desk-asked-desk-mailer', 'receive', 'office:desk:{partition}:feed', 'desk.asked'],
      ['receive-desk-filed-desk', 'receive', 'office:desk:{partition}:feed', 'desk.filed'],
      ['receive-hall-opened-desk', 'receive', 'office:hall:{partition}:feed', 'hall.opened'],
      ['send-desk-asked', 'send', 'office:desk:{partition}:feed', 'desk.asked'],
      ['send-desk-closed', 'send', 'office:desk:{partition}:feed', 'desk.closed'],
      ['send-desk-filed', 'send', 'office:desk:{partition}:feed', 'desk.filed'],
      ['send-desk-moved', 'send', 'office:desk:{partition}:feed', 'desk.moved'],
      ['send-desk-opened', 'send', 'office:desk:{partition}:feed', 'desk.opened'],
    ]);
    expect(read.operations().get('send-desk-opened')!.description()).toBe(
      'code of the service sends it as hall.opened, which passes translate hall.opened -> desk.opened',
    );
    expect(read.operations().get('receive-desk-asked-desk-mailer')!.description()).toContain(
      'upcast desk.asked 1 -> 2',
    );
  });

  it('has the schemas of payloads, whatever they are written in', async () => {
    const read = await parsed(await documentOf(DeskModule));
    const payload = (id: string) => one(read.operations().get(id)).payload()!.json() as Record<string, object>;
    expect(payload('send-desk-asked')).toMatchObject({
      type: 'object',
      properties: {
        who: { type: 'string' },
        urgency: { type: 'string', enum: ['low', 'high'] },
        lines: { type: 'array', items: { properties: { quantity: { type: 'integer', minimum: 1 } } } },
      },
      required: ['who', 'urgency', 'lines'],
    });
    expect(payload('send-desk-closed')).toMatchObject({ type: 'object' });
    expect(payload('send-desk-moved')).toMatchObject({
      properties: { to: { type: 'string', minLength: 2 }, floor: { type: 'number', default: 0 } },
      required: ['to'],
    });
    expect(payload('send-desk-filed')).toMatchObject({
      properties: { folder: { properties: { name: { type: 'string' }, folders: { type: 'array' } } } },
    });
  });

  it('has the attributes of CloudEvents as headers, with the version and the key', async () => {
    const read = await parsed(await documentOf(DeskModule));
    const headers = one(read.operations().get('send-desk-asked')).headers()!.json() as Record<string, object>;
    expect(headers).toMatchObject({
      required: ['specversion', 'id', 'source', 'type', 'partitionkey', 'schemaversion'],
      properties: { type: { const: 'desk.asked' }, specversion: { const: '1.0' }, schemaversion: { const: 2 } },
    });
  });

  it('names the replies of a command, and where they go', async () => {
    const read = await parsed(await documentOf(DeskModule));
    const reply = read.operations().get('receive-desk-ask-desk')!.reply()!;
    expect(reply.address()!.location()).toBe('$message.header#/replyto');
    expect(
      reply
        .messages()
        .all()
        .map((message) => message.name()),
    ).toEqual(['desk.answered', 'desk.refused']);
    expect(reply.messages().all()[1]!.headers()!.json()).toMatchObject({
      properties: { outcome: { const: 'failure' } },
    });
  });

  it('is served where the module says', async () => {
    const app = (await Test.createTestingModule({ imports: [DeskModule] }).compile()).createNestApplication({
      logger: false,
    });
    onTestFinished(() => app.close());
    await app.init();
    const { body } = (await request(app.getHttpServer() as never)
      .get('/asyncapi.json')
      .expect(200)) as { body: AsyncApiDocument };
    expect(body).toMatchObject({ asyncapi: '3.0.0', info: { title: 'Desk', version: '2.1.0' } });
    await parsed(body);
  });

  it.each([
    ['catalog', CatalogModule],
    ['order', OrderModule],
    ['payment', PaymentModule],
    ['orchestrator', OrchestratorModule],
  ])('of the shop is valid: %s', async (_name, module) => {
    const read = await parsed(await documentOf(module.forRoot({})));
    expect(read.operations().all().length).toBeGreaterThan(4);
  });

  it('is refused for what cannot be described', async () => {
    @Event('desk.big')
    class Big extends Schema(z.object({ n: z.bigint() })) {}
    @Module({
      imports: [BrokerModule.forRoot(settings), BrokerModule.forFeature({ publishes: [Big] })],
    })
    class BigModule {}
    await expect(documentOf(BigModule)).rejects.toThrow(
      'the schema of desk.big cannot be written as JSON Schema: BigInt',
    );
  });

  it('is refused when the service says that it publishes what it cannot', async () => {
    const starting = (publishes: never[]) =>
      documentOf({
        module: class Wrong {},
        imports: [BrokerModule.forRoot(settings), BrokerModule.forFeature({ publishes })],
      });
    await expect(starting([Opened] as never[])).rejects.toThrow(
      "declares that it publishes hall.opened, an event of context 'hall', in service 'desk'",
    );
    await expect(starting([Line] as never[])).rejects.toThrow('Line is not a message');
    expect(() => starting(['desk.asked'] as never[])).toThrow(
      "has publishes: [ 'desk.asked' ]; it must be a list of classes",
    );
  });
});
