import { Logger } from '@nestjs/common';
import type { Envelope } from '@millrace/messages';
import { Server } from '@nestjs/microservices';
import type {
  BaseRpcContext,
  ConsumerDeserializer,
  ConsumerSerializer,
  CustomTransportStrategy,
  IncomingRequest,
  MessageHandler,
  ReadPacket,
} from '@nestjs/microservices';
import type { HandlerDeclaration, MessageContext } from '../../core/handler.js';
import { Subscriptions } from '../../core/handler.js';
import { checkOptions } from '../../core/options/check-options.js';
import type { Rules } from '../../core/options/check-options.js';
import { oneOf, text, thing } from '../../core/options/rules.js';
import type { Entry } from '../../core/partition.js';
import { Subscriber } from '../../core/subscriber.js';
import { SUBSCRIBER_RULES } from '../../core/subscriber-settings.js';
import type { SubscriberSettings } from '../../core/subscriber-settings.js';
import { watchedBy } from '../../core/telemetry.js';
import type { Topology } from '../../core/topology/topology.js';
import { withBuffers } from './buffers.js';
import { Bus, BUS_RULES } from './bus.js';
import type { BusOptions } from './bus.js';
import { BusStatus } from './bus-status.js';
import type { RedisStreamsEvents, RedisStreamsStatus } from './bus-status.js';
import { PacketReplies } from './packet-replies.js';
import { checkPattern, PatternHandlers } from './pattern-handlers.js';
import { eventsOf, requestsOf, topologyOfPatterns } from './pattern-topology.js';
import type { DeclaredPattern } from './pattern-topology.js';
import { RedisStreamsContext } from './redis-streams.context.js';
import { answerRequest } from './request-answering.js';
import { runEvent } from './run-event.js';

/** For handlers of this transport only: `@EventPattern('order.placed', REDIS_STREAMS)`. */
export const REDIS_STREAMS = Symbol.for('millrace:redis-streams');

const NO_MESSAGE_HANDLER = 'There is no matching message handler defined in the remote service.';

/** Beside those of the bus: how the service consumes, as for {@link Subscriber}. */
export interface RedisStreamsServerOptions extends BusOptions, SubscriberSettings {
  /**
   * Name of the service. Its replicas share the messages; every other service gets each event, too. Requests are consumed by
   * `<group>:requests`, so that slow events do not keep them waiting.
   */
  readonly group: string;
  /**
   * What to do with a request whose pattern no handler of this service has. `skip`: leave it to another service of the
   * bus. `refuse`: answer with Nest's error; for a service that has the bus (its `context`) to itself. Default `skip`.
   */
  readonly unknownRequests?: 'skip' | 'refuse';
  readonly serializer?: ConsumerSerializer;
  readonly deserializer?: ConsumerDeserializer;
}

const RULES: Rules<RedisStreamsServerOptions> = {
  ...BUS_RULES,
  ...SUBSCRIBER_RULES,
  group: text,
  unknownRequests: oneOf('skip', 'refuse'),
  serializer: thing,
  deserializer: thing,
};

/**
 * The server side of Nest's microservices on Redis Streams: `@EventPattern` and `@MessagePattern` handlers as with Nest's own
 * Redis transport, but no message is lost. An event is acknowledged when its handler is done; when it throws, the event
 * comes again, and in the end is dead-lettered. A request is answered once; an error is its answer.
 *
 * @example
 * app.connectMicroservice({ strategy: new RedisStreamsServer({ group: 'billing', url: 'redis://localhost:6379' }) });
 */
export class RedisStreamsServer
  extends Server<RedisStreamsEvents, RedisStreamsStatus>
  implements CustomTransportStrategy
{
  override transportId = REDIS_STREAMS;
  /** What an event handler throws is dealt with here: Nest need not report it. */
  override readonly propagatesEventHandlerErrors = true;
  protected override readonly logger = new Logger(RedisStreamsServer.name);

  private readonly patterns = new PatternHandlers<MessageHandler>();
  private readonly connection = new BusStatus(this._status$);
  private bus: Bus | undefined;
  private subscriber: Subscriber | undefined;
  private stopping = new AbortController();

  /** @throws ConfigurationError for options that cannot work */
  constructor(private readonly options: RedisStreamsServerOptions) {
    super();
    checkOptions('RedisStreamsServer', options, RULES, ['group']);
    this.initializeSerializer(options as never);
    this.initializeDeserializer(options as never);
  }

  /** Connects and starts to consume. What has been sent before is not missed. */
  async listen(callback: (error?: unknown) => void): Promise<void> {
    try {
      this.stopping = new AbortController();
      this.bus = await Bus.open(this.options);
      this.connection.connected(this.bus);
      this.subscriber = new Subscriber(this.bus.broker, this.subscriptions(this.bus), this.options, this.logger);
      await this.subscriber.start();
    } catch (error) {
      await this.close();
      callback(error);
      return;
    }
    callback();
  }

  /** Stops reading, finishes what is being handled, disconnects. What has not begun waits for the next start. Idempotent. */
  async close(): Promise<void> {
    const { bus, subscriber } = this;
    this.bus = this.subscriber = undefined;
    this.stopping.abort();
    await subscriber?.stop();
    await bus?.close();
  }

  /** Events of the Redis client. */
  on<E extends keyof RedisStreamsEvents>(event: E, callback: RedisStreamsEvents[E]): void {
    this.connection.on(event, callback);
  }

  /** The client of ioredis that writes; the store, where that is not Redis. */
  unwrap<T>(): T {
    if (!this.bus) {
      throw new Error(
        'Not initialized. Please call the "listen"/"startAllMicroservices" method before accessing the server.',
      );
    }
    return (this.bus.client ?? this.bus.broker.store) as T;
  }

  override addHandler(
    pattern: unknown,
    callback: MessageHandler,
    isEventHandler = false,
    extras: Record<string, unknown> = {},
  ): void {
    checkPattern(pattern);
    const route = this.normalizePattern(pattern as never);
    checkOptions(`pattern '${route}'`, { group: extras['group'] }, { group: text });
    callback.isEventHandler = isEventHandler;
    callback.extras = extras;
    this.patterns.add(route, callback);
    this.messageHandlers.set(route, this.patterns.forRequest(route)!);
  }

  /** Runs the handlers of a pattern and waits for them. */
  override async handleEvent(pattern: string, packet: ReadPacket, context: BaseRpcContext): Promise<void> {
    const handler = this.getHandlerByPattern(pattern);
    if (handler) await this.runEvent(handler, packet, context);
  }

  /** What this server consumes of the handlers of an application: `describe(app)` asks for it. */
  topologyOf(declared: readonly DeclaredPattern[]): Topology {
    const routed = declared
      .filter(({ transport }) => transport === undefined || transport === this.transportId)
      .map((each) => ({ ...each, route: this.normalizePattern(each.pattern as never) }));
    return topologyOfPatterns(this.options, routed);
  }

  private subscriptions({ broker }: Bus): Subscriptions {
    const { context, telemetry } = broker;
    const subscriptions = new Subscriptions(context, watchedBy(telemetry));
    const { group } = this.options;
    for (const { route, byGroup } of this.patterns.forEvents()) {
      for (const [own, handler] of byGroup) {
        subscriptions.add({
          name: `events '${route}'`,
          type: route,
          context,
          log: 'feed',
          group: eventsOf(group, own),
          ownReplies: true,
          handle: (data, message) => this.event(handler, data, message),
        });
      }
    }
    const requests: Omit<HandlerDeclaration, 'name' | 'type'> = {
      context,
      log: 'in',
      group: requestsOf(group),
      ownReplies: true,
      handle: (data, message) => this.request(data, message),
    };
    for (const route of this.patterns.routes) {
      subscriptions.add({ ...requests, name: `requests '${route}'`, type: route });
    }
    const all = this.options.unknownRequests === 'refuse';
    const accepts = ({ type }: Envelope): boolean => all || this.getHandlerByPattern(type) !== null;
    subscriptions.add({ ...requests, name: 'other requests', type: '*', accepts });
    const others = { name: 'requests of other services', type: '*', accepts: () => true, handle: () => undefined };
    subscriptions.add({ ...requests, ...others, unwatched: true });
    return subscriptions;
  }

  private async event(handler: MessageHandler, data: object, message: MessageContext): Promise<void> {
    const packet = await this.packet(data, message);
    await this.runEvent(handler, packet, this.contextOf(packet, message));
  }

  private async request(data: object, message: MessageContext): Promise<void> {
    const { broker } = this.bus!;
    const handler = this.getHandlerByPattern(message.envelope.type);
    const packet = await this.packet(data, message);
    const replies = new PacketReplies(broker, message.envelope, packet.id, this.serializer);
    if (!handler) return replies.end({ status: 'error', err: NO_MESSAGE_HANDLER });
    const context = this.contextOf(packet, message);
    await this.withHooks(context, () =>
      answerRequest(async () => handler(packet.data, context), replies, this.stopping.signal),
    );
  }

  private runEvent(handler: MessageHandler, packet: ReadPacket, context: BaseRpcContext): Promise<void> {
    return this.withHooks(context, () => runEvent(async () => handler(packet.data, context)));
  }

  private async packet(data: object, { envelope, entry }: MessageContext): Promise<IncomingRequest> {
    const text = (entry as Entry).fields.join();
    return (await this.deserializer.deserialize(withBuffers(data, text), {
      channel: envelope.type,
    })) as IncomingRequest;
  }

  private contextOf({ metadata }: { metadata?: unknown }, message: MessageContext): RedisStreamsContext {
    return new RedisStreamsContext([message.envelope.type, metadata as Record<string, string> | undefined, message]);
  }

  /** Between Nest's processing hooks, and until the work is done: the acknowledgement waits for it. */
  private withHooks(context: BaseRpcContext, work: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const run = async (end: () => void): Promise<void> => {
        try {
          await work();
          resolve();
        } catch (error) {
          reject(error as Error);
        } finally {
          end();
        }
      };
      // Nest 11 has the hooks, but not the method.
      if (typeof this.runWithProcessingHooks === 'function') {
        Promise.resolve(this.runWithProcessingHooks(context, run) as unknown).catch(reject);
      } else {
        this.onProcessingStartHook(this.transportId, context, () =>
          run(() => this.onProcessingEndHook?.(this.transportId, context)),
        );
      }
    });
  }
}
