import { SpanStatusCode } from '@opentelemetry/api';
import type { Attributes, Span } from '@opentelemetry/api';

/** Marks the span, and answers what tells the failure in metrics: the class of the error, of which there are few. */
export function failed(span: Span, error: unknown): Attributes {
  const name = error instanceof Error ? error.name : typeof error;
  span.recordException(error instanceof Error ? error : String(error));
  span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
  span.setAttribute('error.type', name);
  return { 'error.type': name };
}
