import { context, createNoopMeter, isSpanContextValid, metrics, SpanKind, trace } from '@opentelemetry/api';
import type { Tracer } from '@opentelemetry/api';
import type { HandlerDeclaration } from '../core/handler.js';
import type { ObservedFigures, Telemetry, TraceContext } from '../core/telemetry.js';
import { failed } from './failed.js';
import { Handling } from './handling.js';
import { Instruments, SYSTEM } from './instruments.js';
import { observeLag } from './lag.js';
import { written } from './trace-context.js';

const NAME = '@millrace/broker';

/**
 * Spans and metrics of messages by OpenTelemetry's semantic conventions for messaging; the type of a message is its
 * destination.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
 */
export class OpenTelemetry implements Telemetry {
  private readonly tracer: Tracer;
  private readonly instruments: Instruments;
  private readonly handling: Handling;

  /** Undefined when the application has registered neither a tracer nor a meter provider: then there is nothing to do. */
  static ifRegistered(): OpenTelemetry | undefined {
    const probe = trace.getTracer(NAME).startSpan('probe', { root: true });
    const traced = isSpanContextValid(probe.spanContext());
    return traced || metrics.getMeter(NAME) !== createNoopMeter() ? new OpenTelemetry() : undefined;
  }

  private constructor() {
    this.tracer = trace.getTracer(NAME);
    this.instruments = new Instruments(metrics.getMeter(NAME));
    this.handling = new Handling(this.tracer, this.instruments);
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
      if (done.duplicate) {
        span.setAttribute('millrace.duplicate', true);
        this.instruments.redelivered.add(1, {
          ...SYSTEM,
          'messaging.destination.name': type,
          'millrace.cause': 'publish',
        });
      } else this.instruments.sent.add(1, attributes);
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
    return { ...handler, ...this.handling.around(handler, group) };
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

  redelivered({ type, group, cause }: Parameters<Telemetry['redelivered']>[0]): void {
    this.instruments.redelivered.add(1, {
      ...SYSTEM,
      ...(type === undefined ? {} : { 'messaging.destination.name': type }),
      'messaging.consumer.group.name': group,
      'millrace.cause': cause,
    });
  }

  superseded({ type, group }: { readonly type: string; readonly group: string }): void {
    this.instruments.superseded.add(1, {
      ...SYSTEM,
      'messaging.destination.name': type,
      'messaging.consumer.group.name': group,
    });
  }

  observe(figures: () => Promise<ObservedFigures>): () => void {
    return observeLag(this.instruments.meter, figures);
  }
}
