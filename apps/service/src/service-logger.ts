import { ConsoleLogger } from '@nestjs/common';

/** Nest's logger, without the stack trace of a start that failed: whoever starts the service says why in a sentence. */
export class ServiceLogger extends ConsoleLogger {
  override error(message: unknown, ...rest: unknown[]): void {
    if (rest.at(-1) !== 'ExceptionHandler') super.error(message, ...rest);
  }
}
