import 'reflect-metadata';
import { contextOf, contractOf } from '@millrace/messages';
import type { CommandReplies, MessageClass, RepliesOf } from '@millrace/messages';
import type { Observable } from 'rxjs';
import { entryTypes, kindIn } from '@millrace/transforms';
import type { Transform } from '@millrace/transforms';
import type { BatchOptions } from '../core/batch.js';
import { ConfigurationError } from '../core/errors.js';
import { groupOptionsIn } from '../core/group-options.js';
import type { GroupOptions } from '../core/group-options.js';
import { checkOptions } from '../core/options/check-options.js';
import type { Published } from '../core/published.js';
import { HANDLES_RULES, ON_RULES } from './handler-options.js';
import type { HandlesOptions, OnBatchOptions, OnOptions, RoutedOptions } from './handler-options.js';

/** What `@Handles` and `@On` wrote on a method. */
export interface HandlerMetadata {
  readonly kind: 'command' | 'event';
  readonly contract: MessageClass;
  readonly group?: string;
  /** Context whose feed is read, for an event. */
  readonly from?: string;
  /** Name of the connection; undefined: the default one. */
  readonly broker?: string;
  readonly everyInstance?: boolean;
  readonly inbound?: readonly Transform[];
  readonly route?: string;
  /** The command comes by a router of its sender. */
  readonly routed?: boolean;
  readonly batch?: number | BatchOptions;
  readonly options: GroupOptions;
}

const HANDLERS = Symbol.for('millrace:handlers');

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- further parameters are injected (@Ctx(), MessageContext)
type Handler<Message, Result> = (message: Message, ...injected: any[]) => Result | Promise<Result>;

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as above
type BatchMethod<Message> = (messages: Message[], ...injected: any[]) => void | Promise<void>;

type Decorator<Method> = <M extends Method>(
  target: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<M>,
) => void;

/** One reply, or several as they come. */
type Answer<Reply> = Reply | AsyncIterable<Reply> | Observable<Reply>;

/**
 * Handles a command of this context, in the context's own group, to which the options apply. What the method returns
 * is the reply; its type must be one of the command's replies. A client that asked with `Requester.stream` gets several
 * replies from an async generator or an Observable, each as it comes. Everything it decides becomes one
 * commit: events, states, messages, the reply, and the acknowledgement.
 */
export function Handles<C extends CommandReplies<object, object>>(
  command: MessageClass<C>,
  options?: HandlesOptions & { readonly routed?: false },
): <M extends Handler<C, Answer<RepliesOf<C>>>>(
  target: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<M>,
) => void;
/** With a routing slip, the message itself or nothing passes it on to the next stop; a reply ends its trip. */
export function Handles<C extends CommandReplies<object, object>>(
  command: MessageClass<C>,
  options: RoutedOptions,
): <M extends Handler<C, Answer<RepliesOf<C>> | C | void>>(
  target: object,
  method: string | symbol,
  descriptor: TypedPropertyDescriptor<M>,
) => void;
export function Handles(
  command: MessageClass,
  options: HandlesOptions & { readonly routed?: boolean } = {},
): MethodDecorator {
  if (contractOf(command).kind !== 'command') {
    throw new ConfigurationError(`@Handles(${command.name}) takes a @Command; for events write @On`);
  }
  if ('group' in options && options.group !== undefined) {
    throw new ConfigurationError(
      `@Handles(${command.name}) has group, which is for events: commands have the context's own group, to which the other ` +
        `options apply; leave it out`,
    );
  }
  checkOptions(`@Handles(${command.name})`, options, HANDLES_RULES);
  const metadata: HandlerMetadata = {
    kind: 'command',
    contract: command,
    ...transformsIn(options),
    ...(options.routed ? { routed: true } : {}),
    ...brokerIn(options),
    options: groupOptionsIn(options),
  };
  return (target, method, descriptor) =>
    write(`@Handles(${command.name})`, target, method, descriptor as PropertyDescriptor, metadata);
}

/**
 * Reacts to events of any context many at a time, once per group: `method(events, context)`, with a {@link BatchContext}.
 * All of a batch are of one partition, in the order of their keys; what the handler decides and all of them are one commit.
 * Those that fail are tried again alone.
 */
export function On<E extends object>(event: MessageClass<E>, options: OnBatchOptions): Decorator<BatchMethod<E>>;
/** Reacts to an event of any context, once per group, or with `everyInstance` in every process. */
export function On<E extends object>(
  event: MessageClass<E>,
  options?: OnOptions & { readonly batch?: undefined },
): Decorator<Handler<E, void | Published>>;
export function On<E extends object>(
  event: MessageClass<E>,
  options: OnOptions & Partial<OnBatchOptions> = {},
): Decorator<Handler<E & E[], void | Published>> {
  const { kind, type } = contractOf(event);
  if (kind !== 'event') throw new ConfigurationError(`@On(${event.name}) takes an @Event; for commands write @Handles`);
  if (options.batch !== undefined && options.everyInstance) {
    throw new ConfigurationError(
      `@On(${event.name}) has batch and everyInstance: what every process gets comes one by one`,
    );
  }
  checkOptions(`@On(${event.name})`, options, ON_RULES);
  const metadata: HandlerMetadata = {
    kind: 'event',
    contract: event,
    from: options.from ?? contextOf(publishedType(type, options.inbound)),
    ...(options.group === undefined ? {} : { group: options.group }),
    ...(options.batch === undefined ? {} : { batch: options.batch }),
    ...(options.everyInstance === undefined ? {} : { everyInstance: options.everyInstance }),
    ...transformsIn(options),
    ...brokerIn(options),
    options: groupOptionsIn(options),
  };
  return (target, method, descriptor) => write(`@On(${event.name})`, target, method, descriptor, metadata);
}

/** The declarations on a method; empty when it is no handler. */
export function handlersOf(method: unknown): readonly HandlerMetadata[] {
  return typeof method === 'function' ? ((Reflect.getOwnMetadata(HANDLERS, method) as HandlerMetadata[]) ?? []) : [];
}

/** The event that is read when a handler's own transforms make its event of another one. */
function publishedType(type: string, inbound: readonly Transform[] = []): string {
  return (
    entryTypes(inbound, type).find((each) => each !== type && (kindIn(inbound, each) ?? 'event') === 'event') ?? type
  );
}

function transformsIn({ inbound, route }: HandlesOptions): Pick<HandlerMetadata, 'inbound' | 'route'> {
  return { ...(inbound === undefined ? {} : { inbound }), ...(route === undefined ? {} : { route }) };
}

function brokerIn({ broker }: HandlesOptions): { readonly broker?: string } {
  return broker === undefined ? {} : { broker };
}

function write(
  decorator: string,
  target: object,
  method: string | symbol,
  descriptor: PropertyDescriptor,
  metadata: HandlerMetadata,
): void {
  const unreachable = typeof target === 'function' ? 'static' : typeof method === 'symbol' ? 'named by a symbol' : '';
  if (unreachable) {
    throw new ConfigurationError(
      `${decorator} is on ${String(method)}, which is ${unreachable}: only a named method of an instance is a handler`,
    );
  }
  const handler = descriptor.value as object;
  Reflect.defineMetadata(HANDLERS, [...handlersOf(handler), metadata], handler);
}
