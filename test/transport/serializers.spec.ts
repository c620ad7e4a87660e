import { RedisStreamsClient } from '@millrace/broker';
import { Controller, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  Client,
  ClientProxy,
  ClientProxyFactory,
  ClientsModule,
  EventPattern,
  MessagePattern,
  Payload,
  RpcException,
  Transport,
} from '@nestjs/microservices';
import type {
  ClientOptions,
  ConsumerDeserializer,
  ConsumerSerializer,
  MicroserviceOptions,
  ProducerDeserializer,
  ProducerSerializer,
} from '@nestjs/microservices';
import { firstValueFrom, lastValueFrom, of, throwError, toArray } from 'rxjs';
import { eventually, freshNamespace, onTestFinished, redisUrl } from '../support/redis.js';
import { connected, serve, streamsSite } from './transports.js';
import type { Site } from './transports.js';

const happened: unknown[] = [];

@Controller()
class Desk {
  @MessagePattern('ask')
  ask(@Payload() data: string): unknown {
    return data === 'refuse' ? throwError(() => new RpcException('refused')) : of(`${data} 1`, `${data} 2`);
  }

  @EventPattern<string>('happened')
  happened(@Payload() data: unknown): void {
    happened.push(data);
  }
}

interface Codecs {
  readonly client: { readonly serializer: ProducerSerializer; readonly deserializer: ProducerDeserializer };
  readonly server: { readonly serializer: ConsumerSerializer; readonly deserializer: ConsumerDeserializer };
}

/** Both sides write `{ sealed: packet }`, and note what they were given. */
function sealing(): Codecs & { readonly packets: Record<string, unknown[]> } {
  const packets: Record<string, unknown[]> = { requests: [], answers: [] };
  const seal = (of: string) => ({
    serialize: (packet: object) => {
      packets[of]!.push(Object.keys(packet).sort());
      return { sealed: JSON.stringify(packet), id: (packet as { id?: string }).id } as never;
    },
  });
  const open = { deserialize: ({ sealed }: { sealed: string }) => JSON.parse(sealed) as never };
  return {
    packets,
    client: { serializer: seal('requests'), deserializer: open },
    server: { serializer: seal('answers'), deserializer: open },
  };
}

const { hostname: host, port } = new URL(redisUrl());
const redis = { host, port: Number(port) };

const SITES: readonly (readonly [string, (codecs: Codecs) => Site])[] = [
  [
    "Nest's Redis",
    ({ client, server }) => ({
      options: { transport: Transport.REDIS, options: { ...redis, ...server } } as MicroserviceOptions,
      client: () => ClientProxyFactory.create({ transport: Transport.REDIS, options: { ...redis, ...client } }),
    }),
  ],
  ['Redis Streams', ({ client, server }) => streamsSite(server, client)],
];

describe.each(SITES)('serializers and deserializers of %s', (_name, site) => {
  it('stand between the wire and handlers, clients and errors', async () => {
    happened.length = 0;
    const codecs = sealing();
    const place = site(codecs);
    await serve(place.options, [Desk]);
    const client = await connected(place);
    expect(await lastValueFrom(client.send('ask', 'a').pipe(toArray()))).toEqual(['a 1', 'a 2']);
    await expect(firstValueFrom(client.send('ask', 'refuse'))).rejects.toMatchObject({ message: 'refused' });
    client.emit('happened', { n: 1 });
    await eventually(() => expect(happened).toEqual([{ n: 1 }]));
    expect(codecs.packets['requests']).toEqual([
      ['data', 'id', 'pattern'],
      ['data', 'id', 'pattern'],
      ['data', 'pattern'],
    ]);
    expect(codecs.packets['answers']).toContainEqual(['id', 'response']);
    expect(codecs.packets['answers']).toContainEqual(expect.arrayContaining(['err', 'id']));
  });
});

const TOKEN = 'BILLING';
const options = { url: redisUrl(), namespace: freshNamespace() };

describe('a client of Redis Streams is made', () => {
  const stored = async (client: ClientProxy): Promise<void> => {
    await lastValueFrom(client.emit('happened', 1), { defaultValue: undefined });
  };

  it('by ClientsModule.registerAsync, and closed with the application', async () => {
    @Injectable()
    class Settings {
      readonly broker = options;
    }
    @Module({ providers: [Settings], exports: [Settings] })
    class SettingsModule {}
    @Module({
      imports: [
        ClientsModule.registerAsync([
          {
            name: TOKEN,
            imports: [SettingsModule],
            inject: [Settings],
            useFactory: ({ broker }: Settings) => ({ customClass: RedisStreamsClient, options: broker }),
          },
        ]),
      ],
    })
    class App {}
    const app = await NestFactory.createApplicationContext(App, { logger: false });
    const client = app.get<ClientProxy>(TOKEN);
    await stored(client);
    const connection = client.unwrap<{ readonly status: string }>();
    await app.close();
    await eventually(() => expect(connection.status).toBe('end'));
  });

  it('by @Client()', async () => {
    @Injectable()
    class Shop {
      @Client({ customClass: RedisStreamsClient, options } as ClientOptions) readonly client!: ClientProxy;
    }
    @Module({ providers: [Shop] })
    class App {}
    const app = await NestFactory.create(App, { logger: false });
    onTestFinished(() => app.close());
    await app.init();
    const { client } = app.get(Shop);
    expect(client).toBeInstanceOf(RedisStreamsClient);
    await stored(client);
  });
});
