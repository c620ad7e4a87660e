import { ConflictError, StoreUnavailableError, UnknownOutcomeError } from '@millrace/broker';
import { ProjectionBehindError } from '@millrace/event-store';
import { Catch, HttpException, HttpStatus, Logger } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import type { FieldError } from './field-error.js';

interface Answer {
  readonly statusCode: number;
  readonly message: string;
  readonly errors: readonly FieldError[];
}

/** Answers every failed request in one form, and tells the client nothing about the inside. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  private readonly logger = new Logger(ErrorFilter.name);

  catch(error: unknown, host: ArgumentsHost): void {
    const answer = this.answerTo(error);
    if (answer.statusCode >= 500) this.logger.error(error instanceof Error ? error.stack : error);
    const response = host.switchToHttp().getResponse<{ status(code: number): { json(body: unknown): void } }>();
    response.status(answer.statusCode).json(answer);
  }

  private answerTo(error: unknown): Answer {
    if (error instanceof HttpException) return fromHttp(error);
    if (isBodyError(error)) return refusedBody(error);
    if (error instanceof ConflictError) return answer(HttpStatus.CONFLICT, 'changed by somebody else, try again');
    if (error instanceof ProjectionBehindError) {
      return answer(HttpStatus.SERVICE_UNAVAILABLE, 'what was written is not shown yet, try again');
    }
    if (error instanceof StoreUnavailableError || error instanceof UnknownOutcomeError) {
      return answer(HttpStatus.SERVICE_UNAVAILABLE, 'the store does not answer, try again with the same request');
    }
    return answer(HttpStatus.INTERNAL_SERVER_ERROR, 'internal error');
  }
}

function fromHttp(error: HttpException): Answer {
  const body = error.getResponse();
  if (typeof body === 'object' && 'errors' in body) return body as Answer;
  // Terminus puts its findings into the exception of a failed health check.
  if (typeof body === 'object' && 'details' in body) return { ...body, ...answer(error.getStatus(), 'not healthy') };
  const wrongBody = error.getStatus() === 400 || error.getStatus() === 413;
  return answer(error.getStatus(), error.message, wrongBody ? [{ field: 'body', reason: error.message }] : []);
}

/** The body parser's errors: malformed JSON, too large. */
function isBodyError(error: unknown): error is Error & { status: number } {
  return error instanceof Error && 'status' in error && 'expose' in error && error.expose === true;
}

function refusedBody({ status, message }: Error & { status: number }): Answer {
  return answer(status, message, [{ field: 'body', reason: message }]);
}

function answer(statusCode: number, message: string, errors: readonly FieldError[] = []): Answer {
  return { statusCode, message, errors };
}
