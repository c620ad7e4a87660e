import type { ApplicationConfig } from '@nestjs/core';

/** Where Nest keeps what `@UseGuards` and its like declare, on classes and methods, and a method's decorated parameters. */
const DECLARED = ['__guards__', '__interceptors__', '__pipes__', '__exceptionFilters__'];
export const PARAMETERS = '__routeArguments__';

/**
 * Whether anything of Nest's pipeline applies to a handler: its own guards, interceptors, pipes and filters, those of its
 * class and of the application, or decorated parameters. Without, the pipeline would only cost time.
 */
export function isEnhanced(type: object, method: string, config: ApplicationConfig): boolean {
  return (
    Reflect.hasMetadata(PARAMETERS, type, method) ||
    declaresEnhancers(type, method) ||
    [
      config.getGlobalGuards(),
      config.getGlobalInterceptors(),
      config.getGlobalPipes(),
      config.getGlobalFilters(),
      config.getGlobalRequestGuards(),
      config.getGlobalRequestInterceptors(),
      config.getGlobalRequestPipes(),
      config.getGlobalRequestFilters(),
    ].some((enhancers) => enhancers.length > 0)
  );
}

/** Whether a handler or its class has guards, interceptors, pipes or filters of its own. */
export function declaresEnhancers(type: object, method: string): boolean {
  const callback = (type as { prototype: Record<string, object> }).prototype[method]!;
  const parameters = (Reflect.getMetadata(PARAMETERS, type, method) ?? {}) as Record<string, { pipes?: unknown[] }>;
  return (
    DECLARED.some((key) => Reflect.hasMetadata(key, type) || Reflect.hasMetadata(key, callback)) ||
    Object.values(parameters).some(({ pipes = [] }) => pipes.length > 0)
  );
}
