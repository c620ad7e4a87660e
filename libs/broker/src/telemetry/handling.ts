import { context, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import type { Attributes, Context, Link, Span, Tracer } from '@opentelemetry/api';
import type { BatchContext, BatchHandler } from '../core/batch.js';
import type { HandlerDeclaration } from '../core/handler.js';
import type { MessageContext } from '../core/message-context.js';
import { addressOf } from '../core/partition.js';
import type { Partition } from '../core/partition.js';
import { failed } from './failed.js';
import { SYSTEM } from './instruments.js';
import type { Instruments } from './instruments.js';
import { read } from './trace-context.js';

/** Handlers in spans: one message continues its own trace, a batch begins one that links to those of its messages. */
export class Handling {
  constructor(
    private readonly tracer: Tracer,
    private readonly instruments: Instruments,
  ) {}

  /** What takes the place of a handler's functions. */
  around(handler: HandlerDeclaration, group: string): Pick<HandlerDeclaration, 'handle' | 'batch'> {
    return {
      handle: (data, message) => {
        const { envelope, entry, attempt } = message;
        const metered = meteredOf(envelope.type, group);
        const attributes = {
          ...metered,
          ...placeOf(entry.source.partition, handler),
          'messaging.message.id': envelope.id,
          'messaging.message.conversation_id': envelope.correlationid,
          'millrace.attempt': attempt,
        };
        const parent = traceOf(message);
        const options = { kind: SpanKind.CONSUMER, attributes };
        const span = this.tracer.startSpan(`process ${envelope.type}`, options, parent);
        return this.within(span, parent, 1, metered, () => handler.handle(data, message));
      },
      ...(handler.batch ? { batch: this.aroundBatch(handler, handler.batch, group) } : {}),
    };
  }

  private aroundBatch(handler: HandlerDeclaration, batch: BatchHandler, group: string): BatchHandler {
    const handle = (messages: readonly object[], about: BatchContext): unknown => {
      const metered = meteredOf(handler.type, group);
      const attributes = {
        ...metered,
        ...placeOf(about.partition, handler),
        'messaging.batch.message_count': messages.length,
      };
      const options = { kind: SpanKind.CONSUMER, attributes, links: about.messages.flatMap(linkTo), root: true };
      const span = this.tracer.startSpan(`process ${handler.type}`, options, ROOT_CONTEXT);
      return this.within(span, ROOT_CONTEXT, messages.length, metered, () => batch.handle(messages, about));
    };
    return { ...batch, handle };
  }

  /** Ends the span when the work does, at once or later. */
  private within<T>(span: Span, parent: Context, count: number, metered: Attributes, work: () => T): T {
    const { duration, consumed } = this.instruments;
    const began = performance.now();
    const end = (attributes: Attributes): void => {
      duration.record((performance.now() - began) / 1_000, attributes);
      consumed.add(count, attributes);
      span.end();
    };
    const done = <R>(result: R): R => {
      end(metered);
      return result;
    };
    const fail = (error: unknown): never => {
      end({ ...metered, ...failed(span, error) });
      throw error;
    };
    let result: T;
    try {
      result = context.with(trace.setSpan(parent, span), work);
    } catch (error) {
      return fail(error);
    }
    return isPromise(result) ? (result.then(done, fail) as T) : done(result);
  }
}

function meteredOf(type: string, group: string): Attributes {
  return {
    ...SYSTEM,
    'messaging.destination.name': type,
    'messaging.operation.name': 'process',
    'messaging.consumer.group.name': group,
  };
}

function placeOf(partition: Partition, { name }: HandlerDeclaration): Attributes {
  return {
    'messaging.operation.type': 'process',
    'messaging.destination.partition.id': addressOf(partition),
    'millrace.handler': name,
  };
}

function traceOf({ envelope: { traceparent, tracestate } }: MessageContext): Context {
  return read({ traceparent, tracestate }, ROOT_CONTEXT);
}

function linkTo(message: MessageContext): Link[] {
  const span = trace.getSpanContext(traceOf(message));
  return span ? [{ context: span }] : [];
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
