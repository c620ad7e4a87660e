import {
  context,
  createNoopMeter,
  isSpanContextValid,
  metrics,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { Attributes, Span, Tracer } from '@opentelemetry/api';
import type { HandlerDeclaration, MessageContext } from '../core/handler.js';
import { addressOf } from '../core/partition.js';
import type { ObservedFigures, Telemetry, TraceContext } from '../core/telemetry.js';
import { Instruments } from './instruments.js';
import { observeLag } from './lag.js';
import { read, written } from './trace-context.js';

const NAME = '@millrace/broker';
const SYSTEM = { 'messaging.system': 'millrace' };

/**
 * Spans and metrics of messages by OpenTelemetry's semantic conventions for messaging; the type of a message is its
 * destination.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
 */
export class OpenTelemetry implements Telemetry {
  private readonly tracer: Tracer;
  private readonly instruments: Instruments;

  /** Undefined when the application has registered neither a tracer nor a meter provider: then there is nothing to do. */
  static ifRegistered(): OpenTelemetry | undefined {
    const probe = trace.getTracer(NAME).startSpan('probe', { root: true });
    const traced = isSpanContextValid(probe.spanContext());
    return traced || metrics.getMeter(NAME) !== createNoopMeter() ? new OpenTelemetry() : undefined;
  }

  private constructor() {
    this.tracer = trace.getTracer(NAME);
    this.instruments = new Instruments(metrics.getMeter(NAME));
  }

  async sending<T extends { readonly duplicate: boolean }>(
    { type, operation }: { readonly type: string; readonly operation: 'publish' | 'send' },
    staged: boolean,
    work: () => Promise<T>,
  ): Promise<T> {
    // What goes out with a handler's commit is only made here.
    const what = staged ? 'create' : operation;
    const attributes = {
      ...SYSTEM,
      'messaging.destination.name': type,
      'messaging.operation.name': what,
      'messaging.operation.type': staged ? 'create' : 'send',
    };
    const span = this.tracer.startSpan(`${what} ${type}`, { kind: SpanKind.PRODUCER, attributes });
    try {
      const done = await context.with(trace.setSpan(context.active(), span), work);
      if (done.duplicate) span.setAttribute('millrace.duplicate', true);
      else this.instruments.sent.add(1, attributes);
      return done;
    } catch (error) {
      this.instruments.sent.add(1, { ...attributes, ...failed(span, error) });
      throw error;
    } finally {
      span.end();
    }
  }

  traceContext(): TraceContext | undefined {
    return written(context.active());
  }

  watched(handler: HandlerDeclaration, group: string): HandlerDeclaration {
    const { instruments } = this;
    const handle = (data: object, message: MessageContext): ReturnType<HandlerDeclaration['handle']> => {
      const { envelope } = message;
      const metered = {
        ...SYSTEM,
        'messaging.destination.name': envelope.type,
        'messaging.operation.name': 'process',
        'messaging.consumer.group.name': group,
      };
      const parent = read(envelope as { traceparent?: unknown; tracestate?: unknown }, ROOT_CONTEXT);
      const options = { kind: SpanKind.CONSUMER, attributes: { ...metered, ...detailsOf(handler, message) } };
      const span = this.tracer.startSpan(`process ${envelope.type}`, options, parent);
      const began = performance.now();
      const end = (attributes: Attributes): void => {
        instruments.duration.record((performance.now() - began) / 1_000, attributes);
        instruments.consumed.add(1, attributes);
        span.end();
      };
      const fail = (error: unknown): never => {
        end({ ...metered, ...failed(span, error) });
        throw error;
      };
      try {
        const result = context.with(trace.setSpan(parent, span), () => handler.handle(data, message));
        if (!isPromise(result)) {
          end(metered);
          return result;
        }
        return result.then((reply) => {
          end(metered);
          return reply;
        }, fail);
      } catch (error) {
        return fail(error);
      }
    };
    return { ...handler, handle };
  }

  deadLettered({
    type,
    group,
    reason,
  }: {
    readonly type: string | undefined;
    readonly group: string;
    readonly reason: string;
  }): void {
    this.instruments.deadLetters.add(1, {
      ...SYSTEM,
      ...(type === undefined ? {} : { 'messaging.destination.name': type }),
      'messaging.consumer.group.name': group,
      'error.type': reason,
    });
  }

  observe(figures: () => Promise<ObservedFigures>): () => void {
    return observeLag(this.instruments.meter, figures);
  }
}

function detailsOf({ name }: HandlerDeclaration, { envelope, entry, attempt }: MessageContext): Attributes {
  return {
    'messaging.operation.type': 'process',
    'messaging.message.id': envelope.id,
    'messaging.message.conversation_id': envelope.correlationid,
    'messaging.destination.partition.id': addressOf(entry.source.partition),
    'millrace.handler': name,
    'millrace.attempt': attempt,
  };
}

/** Marks the span, and answers what tells the failure in metrics: the class of the error, of which there are few. */
function failed(span: Span, error: unknown): Attributes {
  const name = error instanceof Error ? error.name : typeof error;
  span.recordException(error instanceof Error ? error : String(error));
  span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
  span.setAttribute('error.type', name);
  return { 'error.type': name };
}

function isPromise(value: unknown): value is Promise<object | void> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
