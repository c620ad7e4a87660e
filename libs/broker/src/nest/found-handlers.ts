import { Scope } from '@nestjs/common';
import type { DiscoveryService } from '@nestjs/core';
import { MetadataScanner } from '@nestjs/core';
import { contractOf } from '@millrace/messages';
import { ConfigurationError } from '../core/errors.js';
import { declaresEnhancers } from './enhancers.js';
import { handlersOf } from './handler-decorators.js';
import type { HandlerMetadata } from './handler-decorators.js';

export type Wrapper = ReturnType<DiscoveryService['getProviders']>[number];

/** A decorated method of something that Nest has made. */
export interface FoundHandler {
  readonly wrapper: Wrapper;
  /** The class that has the method; of a value or of what a factory made, too. */
  readonly type: { readonly name: string; readonly prototype: object };
  readonly method: string;
  readonly metadata: HandlerMetadata;
}

/**
 * Every `@Handles` and `@On` of the providers and controllers of an application.
 *
 * @throws ConfigurationError for a class that is provided twice or of transient scope, and for a handler that is overridden by
 *   a method that is none
 */
export function findHandlers(discovery: DiscoveryService): readonly FoundHandler[] {
  const scanner = new MetadataScanner();
  const instances = new Set<unknown>();
  const providers = new Map<unknown, Wrapper>();
  const found: FoundHandler[] = [];
  for (const wrapper of [...discovery.getProviders(), ...discovery.getControllers()]) {
    const type = classOf(wrapper);
    // An alias, or a factory that hands out what is provided elsewhere, shows the same instance again.
    if (!type || wrapper.isAlias || instances.has(wrapper.instance)) continue;
    instances.add(wrapper.instance);
    const methods = type.prototype as Record<string, unknown>;
    const handlers = scanner.getAllMethodNames(type.prototype).flatMap((method) => {
      const declared = handlersOf(methods[method]);
      if (declared.length === 0) checkOverrides(type, method);
      return declared.map((metadata) => ({ wrapper, type, method, metadata }));
    });
    if (handlers.length === 0) continue;
    checkOnce(type.name, wrapper, providers.get(type));
    if (wrapper.isNotMetatype) handlers.forEach(checkPlain);
    providers.set(type, wrapper);
    found.push(...handlers);
  }
  return found;
}

/**
 * What `@Handles` and `@On` say belongs to the method that they stand on, as do Nest's guards and pipes: one that overrides it
 * has none of it, and its messages would wait for ever.
 */
function checkOverrides({ name, prototype }: FoundHandler['type'], method: string): void {
  for (let base = parentOf(prototype); base; base = parentOf(base)) {
    const overridden: unknown = Object.getOwnPropertyDescriptor(base, method)?.value;
    const [handler] = handlersOf(overridden);
    if (!handler) continue;
    throw new ConfigurationError(
      `${name}.${method} overrides ${base.constructor.name}.${method}, a handler of ${contractOf(handler.contract).type}, and is ` +
        `none: decorate it, too, or give it another name`,
    );
  }
}

function parentOf(prototype: object): object | null {
  return Object.getPrototypeOf(prototype) as object | null;
}

function classOf(wrapper: Wrapper): FoundHandler['type'] | undefined {
  if (!wrapper.isNotMetatype) return wrapper.metatype as FoundHandler['type'];
  const made: unknown = wrapper.instance;
  if (typeof made !== 'object' || made === null) return undefined;
  const prototype = Object.getPrototypeOf(made) as { constructor?: unknown } | null;
  return typeof prototype?.constructor === 'function'
    ? (prototype.constructor as FoundHandler['type'] & object)
    : undefined;
}

/** Nest makes the enhancers of classes that it makes itself; of others it would leave them out without a word. */
function checkPlain({ type, method }: FoundHandler): void {
  if (!declaresEnhancers(type, method)) return;
  throw new ConfigurationError(
    `${type.name}.${method} has guards, pipes, interceptors or filters, which Nest does not apply to a value or to what a ` +
      `factory makes: provide the class ${type.name} itself`,
  );
}

function checkOnce(name: string, wrapper: Wrapper, other: Wrapper | undefined): void {
  if (wrapper.scope === Scope.TRANSIENT) {
    throw new ConfigurationError(
      `${name} has handlers and Scope.TRANSIENT, so there is no instance of it to call: ` +
        `leave the scope out for one instance, or write Scope.REQUEST for one per message`,
    );
  }
  if (!other) return;
  const modules = [other, wrapper].map(({ host }) => host?.name ?? 'a module');
  throw new ConfigurationError(
    `${name} has handlers and is made twice, in ${modules.join(' and in ')}: each message goes to one of them only; ` +
      `provide it in one module, and export it from there`,
  );
}
