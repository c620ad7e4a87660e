import type { ApplicationConfig } from '@nestjs/core';

/** Where Nest keeps what `@UseGuards` and its like declare, on classes and methods, and a method's decorated parameters. */
const DECLARED = ['__guards__', '__interceptors__', '__pipes__', '__exceptionFilters__'];
export const PARAMETERS = '__routeArguments__';

/**
 * Whether anything of Nest's pipeline applies to a handler: its own guards, interceptors, pipes and filters, those of its
 * class and of the application, or decorated parameters. Without, the pipeline would only cost time.
 */
export function isEnhanced(type: object, method: string, config: ApplicationConfig): boolean {
  const callback = (type as { prototype: Record<string, object> }).prototype[method]!;
  return (
    Reflect.hasMetadata(PARAMETERS, type, method) ||
    DECLARED.some((key) => Reflect.hasMetadata(key, type) || Reflect.hasMetadata(key, callback)) ||
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
