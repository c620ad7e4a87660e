import { Logger } from '@nestjs/common';
import { ClientProxy } from '@nestjs/microservices';
import type { ProducerDeserializer, ProducerSerializer, ReadPacket, WritePacket } from '@nestjs/microservices';
import { keyOf } from '@millrace/messages';
import type { Observable } from 'rxjs';
import type { EnvelopeInit } from '@millrace/messages';
import type { Encoded } from '../../core/message-writer.js';
import type { CommitResult, Guard } from '../../core/commit.js';
import { ConfigurationError, UnknownOutcomeError } from '../../core/errors.js';
import { checkOptions } from '../../core/options/check-options.js';
import type { Rules } from '../../core/options/check-options.js';
import { duration, thing } from '../../core/options/rules.js';
import { encodeRaw } from '../../core/raw-message.js';
import { ReplyInbox } from '../../core/reply-inbox.js';
import { REQUESTER_RULES } from '../../core/requester-settings.js';
import { UnitOfWork } from '../../core/unit-of-work.js';
import { Bus, BUS_RULES } from './bus.js';
import type { BusOptions } from './bus.js';
import { BusStatus } from './bus-status.js';
import type { RedisStreamsEvents } from './bus-status.js';
import { PacketListener } from './packet-listener.js';
import { RedisStreamsRecord } from './redis-streams-record.js';
import type { RedisStreamsRecordOptions } from './redis-streams-record.js';

export interface RedisStreamsClientOptions extends BusOptions {
  /**
   * Time for the answer to a request, or for each of several, ms; a handler does not begin a request after it. Default:
   * none, as with Nest's own transports: the answer comes when the service has been up.
   */
  readonly timeoutMs?: number;
  /** How long answers are kept for a process that has hung or died, ms. Default 30000. */
  readonly replyTtlMs?: number;
  readonly serializer?: ProducerSerializer;
  readonly deserializer?: ProducerDeserializer;
}

const RULES: Rules<RedisStreamsClientOptions> = {
  ...BUS_RULES,
  ...REQUESTER_RULES,
  timeoutMs: duration,
  serializer: thing,
  deserializer: thing,
};

interface Connected {
  readonly bus: Bus;
  readonly inbox: ReplyInbox;
}

const DAY_MS = 86_400_000;
/** Longer than a commit is repeated for: a request whose confirmation was lost is not sent twice. */
const REMEMBERED_MS = 120_000;

/**
 * The client side of Nest's microservices on Redis Streams. `emit` completes when the event is stored, whoever is down; the
 * answer to `send` comes from a service that is up or comes up. A lost connection loses no answer.
 *
 * @example
 * ClientsModule.register([{ name: 'BILLING', customClass: RedisStreamsClient, options: { url: 'redis://localhost:6379' } }])
 */
export class RedisStreamsClient extends ClientProxy<RedisStreamsEvents, string> {
  private readonly logger = new Logger(RedisStreamsClient.name);
  private readonly connection = new BusStatus(this._status$);
  private connecting: Promise<Connected> | undefined;
  private connected: Connected | undefined;

  /** @throws ConfigurationError for options that cannot work */
  constructor(private readonly options: RedisStreamsClientOptions = {}) {
    super();
    checkOptions('RedisStreamsClient', options, RULES);
    this.initializeSerializer(options as never);
    this.initializeDeserializer(options as never);
  }

  /** @throws StoreUnavailableError when no Redis answers; the next call tries again */
  async connect(): Promise<void> {
    const connecting = (this.connecting ??= this.open());
    try {
      this.connected = await connecting;
    } catch (error) {
      if (this.connecting === connecting) this.connecting = undefined;
      throw error;
    }
  }

  /** Fails the requests that wait, and disconnects. Idempotent. */
  async close(): Promise<void> {
    const connected = await this.connecting?.catch(() => undefined);
    this.connecting = this.connected = undefined;
    await connected?.inbox.close();
    await connected?.bus.close();
  }

  /** Events of the Redis client. */
  override on<E extends keyof RedisStreamsEvents>(event: E, callback: RedisStreamsEvents[E]): void {
    this.connection.on(event, callback);
  }

  /** The client of ioredis that writes; the store, where that is not Redis. */
  override unwrap<T>(): T {
    if (!this.connected) throw new Error('Not initialized. Please call the "connect" method first.');
    const { client, broker } = this.connected.bus;
    return (client ?? broker.store) as T;
  }

  /**
   * Stores an event, with or without a subscriber. A failure is logged, too, since nobody need be subscribed.
   *
   * @throws UnknownOutcomeError (to subscribers) when the reply was lost: it may be stored. With an id of its own
   *   (`RedisStreamsRecordBuilder.setId`) the event is stored once, and emitted again without further ado
   * @throws StoreUnavailableError (to subscribers) when it is not stored
   */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- Nest's signature
  override emit<TResult = any, TInput = any>(pattern: any, data: TInput): Observable<TResult> {
    const emitted = super.emit<TResult, TInput>(pattern, data);
    emitted.subscribe({ error: (error: unknown) => this.logger.error(notEmitted(pattern, error)) });
    return emitted;
  }

  protected override publish(packet: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    const { bus, inbox } = this.connected!;
    const { id } = this.assignPacketId(packet);
    const listener = new PacketListener(packet, id, this.options.timeoutMs, this.deserializer, callback);
    const forget = (): void => {
      inbox.forget(id);
      listener.end();
    };
    const { timeoutMs } = this.options;
    const send = async (): Promise<CommitResult> => {
      const { envelope, text } = this.encode(bus, packet, {
        id,
        replyto: inbox.address,
        ...(timeoutMs === undefined ? {} : { expirytime: new Date(bus.broker.clock.now() + timeoutMs).toISOString() }),
      });
      await inbox.expect(id, listener);
      const to = bus.broker.partitionFor(keyOf(envelope));
      return bus.broker.commit({
        partition: to,
        guards: [{ kind: 'command', id: `request:${id}`, result: '', ttlMs: REMEMBERED_MS }],
        writes: [{ kind: 'emit', to, message: text }],
      });
    };
    this.watched(bus, 'send', packet, send).catch((error: unknown) => {
      // It may have been sent: then its answer comes.
      if (error instanceof UnknownOutcomeError) return this.logger.warn(`${error.message}; waiting for the answer`);
      forget();
      callback({ err: error });
    });
    return forget;
  }

  protected override async dispatchEvent<T>(packet: ReadPacket): Promise<T> {
    const { bus } = this.connected!;
    const guards: Guard[] = [];
    const { id } = optionsOf(packet);
    if (id !== undefined) guards.push({ kind: 'command', id: `publish:${id}`, result: '', ttlMs: DAY_MS });
    await this.watched(bus, 'publish', packet, async () => {
      const { envelope, text } = this.encode(bus, packet, id === undefined ? {} : { id });
      return bus.broker.commit({
        partition: bus.broker.partitionFor(keyOf(envelope)),
        guards,
        writes: [{ kind: 'append', events: [text] }],
      });
    });
    return undefined as T;
  }

  /** In its span, which the message carries on, where somebody watches. */
  private async watched(
    { broker: { telemetry } }: Bus,
    operation: 'publish' | 'send',
    { pattern }: ReadPacket,
    work: () => Promise<CommitResult>,
  ): Promise<void> {
    if (!telemetry) return void (await work());
    const type = this.normalizePattern(pattern as never);
    await telemetry.sending({ type, operation }, false, async () => {
      return { duplicate: (await work()).status === 'refused' };
    });
  }

  private async open(): Promise<Connected> {
    const bus = await Bus.open(this.options);
    this.connection.connected(bus);
    return { bus, inbox: new ReplyInbox(bus.broker, this.logger, this.options.replyTtlMs ?? 30_000) };
  }

  private encode({ broker }: Bus, packet: ReadPacket, attributes: Partial<EnvelopeInit>): Encoded {
    const type = this.normalizePattern(packet.pattern as never);
    if (typeof type !== 'string' || type === '') {
      throw new ConfigurationError(`pattern ${JSON.stringify(packet.pattern)} cannot be sent: it has no name`);
    }
    const { key, metadata } = optionsOf(packet);
    const cause = UnitOfWork.current()?.message;
    const plain = packet.data instanceof RedisStreamsRecord ? { ...packet, data: packet.data.data as unknown } : packet;
    return encodeRaw(broker, {
      type,
      ...(key === undefined ? {} : { partitionkey: key }),
      ...(cause ? { correlationid: cause.correlationid ?? cause.id, causationid: cause.id } : {}),
      ...attributes,
      data: this.serializer.serialize(
        metadata
          ? { ...plain, metadata: { ...(plain as { metadata?: Record<string, string> }).metadata, ...metadata } }
          : plain,
      ),
    });
  }
}

/** What became of an event that could not be emitted, and what to do. */
function notEmitted(pattern: unknown, error: unknown): string {
  const event = `event ${typeof pattern === 'string' ? `'${pattern}'` : JSON.stringify(pattern)}`;
  const why = error instanceof Error ? error.message : String(error);
  if (!(error instanceof UnknownOutcomeError)) return `${event} has not been stored: ${why}; emit it again`;
  return `${event} may have been stored: ${why}; give such events an id, RedisStreamsRecordBuilder.setId(), and they are stored once`;
}

function optionsOf({ data }: ReadPacket): RedisStreamsRecordOptions {
  return data instanceof RedisStreamsRecord ? data.options : {};
}
