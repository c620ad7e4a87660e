import { Inject, Injectable } from '@nestjs/common';
import {
  ApplicationConfig,
  ContextIdFactory,
  DiscoveryService,
  ExternalContextCreator,
  MetadataScanner,
  ModuleRef,
} from '@nestjs/core';
import { contractOf } from '@millrace/messages';
import { isObservable, lastValueFrom } from 'rxjs';
import { Broker } from '../core/broker.js';
import { Subscriptions } from '../core/handler.js';
import type { HandlerDeclaration } from '../core/handler.js';
import { isEnhanced, PARAMETERS } from './enhancers.js';
import { handlersOf } from './handler-decorators.js';
import type { HandlerMetadata } from './handler-decorators.js';

type Wrapper = ReturnType<DiscoveryService['getProviders']>[number];
type ContextId = ReturnType<typeof ContextIdFactory.create>;
type Call = HandlerDeclaration['handle'];

/** Nest's numbers of `@Payload()` and `@Ctx()` (RpcParamtype). */
const PAYLOAD = 3;
const CONTEXT = 6;

/**
 * Finds `@Handles` and `@On` methods in every provider and controller and registers them, wrapped in Nest's pipeline:
 * guards, interceptors, pipes and filters of the `rpc` context apply, errors arrive as thrown.
 */
@Injectable()
export class HandlerExplorer {
  private readonly scanner = new MetadataScanner();

  constructor(
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(ExternalContextCreator) private readonly contexts: ExternalContextCreator,
    @Inject(ApplicationConfig) private readonly config: ApplicationConfig,
    @Inject(ModuleRef) private readonly modules: ModuleRef,
    @Inject(Broker) private readonly broker: Broker,
    @Inject(Subscriptions) private readonly subscriptions: Subscriptions,
  ) {}

  /** @throws ConfigurationError for a declaration that cannot work */
  explore(): void {
    const seen = new Set<unknown>();
    for (const wrapper of [...this.discovery.getProviders(), ...this.discovery.getControllers()]) {
      const prototype = (wrapper.metatype as { prototype?: object } | undefined)?.prototype;
      // An alias (useExisting) shows the same class again.
      if (!prototype || wrapper.isAlias || seen.has(wrapper.metatype)) continue;
      seen.add(wrapper.metatype);
      for (const method of this.scanner.getAllMethodNames(prototype)) {
        for (const metadata of handlersOf((prototype as Record<string, unknown>)[method])) {
          this.subscriptions.add(this.declaration(wrapper, method, metadata));
        }
      }
    }
  }

  private declaration(wrapper: Wrapper, method: string, metadata: HandlerMetadata): HandlerDeclaration {
    const own = metadata.kind === 'command';
    return {
      name: `${wrapper.name}.${method}`,
      type: contractOf(metadata.contract).type,
      contract: metadata.contract,
      context: own ? this.broker.context : metadata.from!,
      log: own ? 'in' : 'feed',
      ...(metadata.group === undefined ? {} : { group: metadata.group }),
      options: metadata.options,
      handle: wrapper.isDependencyTreeStatic() ? this.staticCall(wrapper, method) : this.scopedCall(wrapper, method),
    };
  }

  private staticCall(wrapper: Wrapper, method: string): Call {
    const instance = wrapper.instance as Record<string, (...args: unknown[]) => unknown>;
    if (isEnhanced(wrapper.metatype as object, method, this.config)) return this.wrap(wrapper, instance, method);
    return (data, context) => {
      const result = instance[method]!(data, context);
      return (isObservable(result) ? lastValueFrom(result, { defaultValue: undefined }) : result) as ReturnType<Call>;
    };
  }

  /** A provider of request scope is made anew for every message; the message context is its REQUEST. */
  private scopedCall(wrapper: Wrapper, method: string): Call {
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

  /** Nest looks for the enhancers' module among providers only; a controller's module is told to it. */
  private contextsOf(wrapper: Wrapper): ExternalContextCreator {
    const contexts = Object.create(this.contexts) as ExternalContextCreator;
    contexts.getContextModuleKey = () => wrapper.host?.token ?? '';
    return contexts;
  }
}

function parameter(type: number, data: unknown, args: readonly unknown[]): unknown {
  if (type === CONTEXT) return args[1];
  if (type !== PAYLOAD) return undefined;
  return typeof data === 'string' ? (args[0] as Record<string, unknown>)[data] : args[0];
}
