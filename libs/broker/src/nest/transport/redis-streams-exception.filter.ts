import { Catch } from '@nestjs/common';
import type { ArgumentsHost } from '@nestjs/common';
import { BaseRpcExceptionFilter, RpcException } from '@nestjs/microservices';
import { throwError } from 'rxjs';
import type { Observable } from 'rxjs';
import { Defer, RetryableError } from '../../core/errors.js';
import { NonRetryableError } from '../../core/non-retryable-error.js';
import { RedisStreamsContext } from './redis-streams.context.js';

/**
 * Lets the transport see what a handler threw. Without it Nest makes "Internal server error" of everything that is no
 * RpcException: `RetryableError`, `NonRetryableError` and `Defer` have no effect, and dead letters of events do not say what
 * was wrong. What clients are answered stays the same.
 *
 * @example
 * microservice.useGlobalFilters(new RedisStreamsExceptionFilter());
 */
@Catch()
export class RedisStreamsExceptionFilter extends BaseRpcExceptionFilter {
  override catch(exception: Error, host: ArgumentsHost): Observable<unknown> {
    const context = host.getArgByIndex<unknown>(1);
    const ours = context instanceof RedisStreamsContext;
    const event = ours && context.getMessage().replyto === undefined;
    const raw = exception instanceof RpcException ? false : event || saysHowToGoOn(exception);
    return ours && raw ? throwError(() => exception) : super.catch(exception as RpcException, host);
  }
}

/** Whether an error is about the delivery of the message, not for who asked. */
export function saysHowToGoOn(error: unknown): boolean {
  return error instanceof RetryableError || error instanceof NonRetryableError || error instanceof Defer;
}
