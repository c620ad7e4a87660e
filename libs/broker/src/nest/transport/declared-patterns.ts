import 'reflect-metadata';
import type { ModulesContainer } from '@nestjs/core';
import { MetadataScanner } from '@nestjs/core';
import type { DeclaredPattern } from './pattern-topology.js';
import { RedisStreamsServer } from './redis-streams-server.js';

/** Where Nest keeps what `@EventPattern` and `@MessagePattern` say, and its number of the former. */
const PATTERNS = 'microservices:pattern';
const KIND = 'microservices:handler_type';
const EXTRAS = 'microservices:pattern_extras';
const TRANSPORT = 'microservices:transport';
const EVENT = 2;

/** The servers of this transport that an application has, started or not. */
export function serversOf(modules: ModulesContainer): readonly RedisStreamsServer[] {
  const servers: RedisStreamsServer[] = [];
  // Nest keeps them all, and gives them at once.
  modules
    .getRpcTargetRegistry()
    .subscribe((target) => {
      if (target instanceof RedisStreamsServer) servers.push(target);
    })
    .unsubscribe();
  return servers;
}

/** What the controllers of an application declare for Nest's transports, of whichever it is. */
export function declaredPatterns(modules: ModulesContainer): readonly DeclaredPattern[] {
  const controllers = [...modules.values()].flatMap((module) => [...module.controllers.values()]);
  const scanner = new MetadataScanner();
  return controllers.flatMap(({ metatype }) => {
    if (typeof metatype !== 'function') return [];
    const methods = metatype.prototype as Record<string, object>;
    return scanner.getAllMethodNames(methods).flatMap((method): DeclaredPattern[] => {
      const read = (key: string): unknown => Reflect.getMetadata(key, methods[method]!);
      const kind = read(KIND);
      if (kind === undefined) return [];
      const declared = {
        name: `${metatype.name}.${method}`,
        isEventHandler: kind === EVENT,
        extras: (read(EXTRAS) ?? {}) as Record<string, unknown>,
        transport: read(TRANSPORT),
      };
      return (read(PATTERNS) as unknown[]).map((pattern) => ({ ...declared, pattern }));
    });
  });
}
