import { Inject, Injectable } from '@nestjs/common';
import { ApplicationConfig, ContextIdFactory, DiscoveryService, ExternalContextCreator, ModuleRef } from '@nestjs/core';
import { contractOf } from '@millrace/messages';
import { isObservable } from 'rxjs';
import { inBatches } from '../core/batch.js';
import type { Broker } from '../core/broker.js';
import type { HandlerDeclaration } from '../core/handler.js';
import { checkKeys } from '../core/personal-data/personal-data-checks.js';
import { checkOwnEvents, IN_CODE } from '../core/topology/declarations.js';
import { wayOf } from '../core/topology/passage.js';
import { checkHistory, checkRetired } from '../core/transform-checks.js';
import { DEFAULT_CONNECTION } from './connection-tokens.js';
import { Connections } from './connections.js';
import { isEnhanced, PARAMETERS } from './enhancers.js';
import { findSchedules, messageOf } from './every.js';
import { observedReplies } from './observed-replies.js';
import type { HandlerMetadata } from './handler-decorators.js';
import { findHandlers } from './found-handlers.js';
import type { FoundHandler, Wrapper } from './found-handlers.js';

type ContextId = ReturnType<typeof ContextIdFactory.create>;
type Call = HandlerDeclaration['handle'];
/** With many messages and their context in place of one. */
type BatchCall = (messages: readonly object[], context: unknown) => Promise<unknown> | unknown;

/** Nest's numbers of `@Payload()` and `@Ctx()` (RpcParamtype). */
const PAYLOAD = 3;
const CONTEXT = 6;

/**
 * Finds `@Handles` and `@On` methods in every provider and controller and registers them, wrapped in Nest's pipeline:
 * guards, interceptors, pipes and filters of the `rpc` context apply, errors arrive as thrown.
 */
@Injectable()
export class HandlerExplorer {
  private explored = false;

  constructor(
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(ExternalContextCreator) private readonly contexts: ExternalContextCreator,
    @Inject(ApplicationConfig) private readonly config: ApplicationConfig,
    @Inject(ModuleRef) private readonly modules: ModuleRef,
    @Inject(Connections) private readonly connections: Connections,
  ) {}

  /**
   * Registers every handler and every declared schedule with the subscriptions of its connection. Idempotent.
   *
   * @throws ConfigurationError for a declaration that cannot work
   */
  explore(): void {
    if (this.explored) return;
    this.explored = true;
    for (const found of findHandlers(this.discovery)) {
      const name = `${found.type.name}.${found.method}`;
      const { broker, subscriptions, declarations } = this.connections.get(
        found.metadata.broker ?? DEFAULT_CONNECTION,
        name,
      );
      const declaration = this.declaration(name, found, broker);
      subscriptions.add(declaration);
      declarations.answers(declaration);
    }
    for (const { broker, declarations } of this.connections.all) {
      const gives = (type: string) => wayOf(broker.transforms.outbound, type).gives;
      const declared = [...declarations.sendings, ...declarations.readings];
      checkKeys(
        broker,
        declared.map(({ contract }) => contract),
      );
      checkRetired(broker.boundary, declared);
      checkHistory(broker.boundary, declarations.sendings, declarations.readings);
      for (const sending of declarations.sendings) {
        if (sending.by === IN_CODE) checkOwnEvents(broker.context, sending, gives);
      }
    }
    for (const schedule of findSchedules(this.discovery)) {
      const { subscriptions } = this.connections.get(schedule.broker ?? DEFAULT_CONNECTION, schedule.name);
      subscriptions.schedules.add({ ...schedule, message: messageOf(schedule) });
    }
  }

  private declaration(name: string, found: FoundHandler, broker: Broker): HandlerDeclaration {
    const { wrapper, metadata } = found;
    const { type } = contractOf(metadata.contract);
    const own = metadata.kind === 'command';
    const call = wrapper.isDependencyTreeStatic() ? this.staticCall(found) : this.scopedCall(found);
    return {
      name,
      type,
      contract: metadata.contract,
      context: own ? homeOf(broker, type, metadata) : metadata.from!,
      log: own ? 'in' : 'feed',
      ...(metadata.group === undefined ? {} : { group: metadata.group }),
      ...(metadata.everyInstance === undefined ? {} : { everyInstance: metadata.everyInstance }),
      ...(metadata.route === undefined ? {} : { route: metadata.route }),
      ...(metadata.inbound === undefined ? {} : { inbound: metadata.inbound }),
      options: metadata.options,
      ...(metadata.batch === undefined ? { handle: call } : inBatches(name, metadata.batch, call as BatchCall)),
    };
  }

  private staticCall({ wrapper, type, method }: FoundHandler): Call {
    const instance = wrapper.instance as Record<string, (...args: unknown[]) => unknown>;
    if (isEnhanced(type, method, this.config)) return this.wrap(wrapper, instance, method);
    return (data, context) => {
      const result = instance[method]!(data, context);
      return (isObservable(result) ? observedReplies(result) : result) as ReturnType<Call>;
    };
  }

  /** A provider of request scope is made anew for every message; the message context is its REQUEST. */
  private scopedCall({ wrapper, method }: FoundHandler): Call {
    return async (data, context) => {
      const contextId = ContextIdFactory.create();
      this.modules.registerRequestByContextId(context, contextId);
      const instance = await this.modules.resolve<object>(wrapper.token as never, contextId, { strict: false });
      return this.wrap(wrapper, instance, method, contextId)(data, context);
    };
  }

  private wrap(wrapper: Wrapper, instance: object, method: string, contextId?: ContextId): Call {
    const methods = instance as Record<string, (...args: unknown[]) => unknown>;
    return this.contextsOf(wrapper).create(
      methods,
      methods[method]!,
      method,
      PARAMETERS,
      { exchangeKeyForValue: parameter },
      contextId,
      contextId && wrapper.id,
      { guards: true, interceptors: true, filters: true },
      'rpc',
    ) as Call;
  }

  /**
   * Nest looks for the enhancers' module among providers only; a controller's module is told to it. Of an Observable it
   * would take the last value only.
   */
  private contextsOf(wrapper: Wrapper): ExternalContextCreator {
    const contexts = Object.create(this.contexts) as ExternalContextCreator;
    contexts.getContextModuleKey = () => wrapper.host?.token ?? '';
    contexts.transformToResult = (result: unknown) =>
      Promise.resolve(isObservable(result) ? observedReplies(result) : result);
    return contexts;
  }
}

/** A command that comes by a router, or is made of another message on its way in, comes to the own inbox. */
function homeOf(broker: Broker, type: string, { routed, inbound }: HandlerMetadata): string {
  return routed || inbound?.some(({ to }) => to.includes(type)) ? broker.context : broker.homeOf(type);
}

function parameter(type: number, data: unknown, args: readonly unknown[]): unknown {
  if (type === CONTEXT) return args[1];
  if (type !== PAYLOAD) return undefined;
  return typeof data === 'string' ? (args[0] as Record<string, unknown>)[data] : args[0];
}
