import { HttpException } from '@nestjs/common';
import { isObservable, lastValueFrom } from 'rxjs';
import { NonRetryableError } from '../../core/non-retryable-error.js';

/** Waits for all that an event handler does, which Nest's own servers do not. */
export async function runEvent(handler: () => Promise<unknown>): Promise<void> {
  try {
    const result = await handler();
    if (isObservable(result)) await lastValueFrom(result, { defaultValue: undefined });
  } catch (error) {
    throw asError(error);
  }
}

/** What Nest's filters leave is a plain object. A message that a pipe refuses stays wrong. */
function asError(error: unknown): Error {
  if (error instanceof HttpException && error.getStatus() < 500) {
    const { message } = error.getResponse() as { message?: unknown };
    return new NonRetryableError(Array.isArray(message) ? message.join('; ') : error.message, { cause: error });
  }
  if (error instanceof Error) return error;
  const { message } = Object(error) as { message?: unknown };
  return new Error(typeof message === 'string' ? message : JSON.stringify(error), { cause: error });
}
