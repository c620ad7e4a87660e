import { ConsoleLogger } from '@nestjs/common';

/** Who tells at length how the application is put together. */
const BUILDERS = new Set<unknown>(['NestFactory', 'InstanceLoader', 'RoutesResolver', 'RouterExplorer']);

/** Who reports a start that failed. */
const FAILED_START = new Set<unknown>(['ExceptionHandler', 'NestApplication']);

/**
 * Nest's logger for people who run the service: without its inner structure, and without the stack trace of a start that
 * failed, because whoever starts the service says why in a sentence.
 */
export class ServiceLogger extends ConsoleLogger {
  override log(message: unknown, ...rest: unknown[]): void {
    if (!BUILDERS.has(rest.at(-1))) super.log(message, ...rest);
  }

  override error(message: unknown, ...rest: unknown[]): void {
    if (!FAILED_START.has(rest.at(-1))) super.error(message, ...rest);
  }
}
