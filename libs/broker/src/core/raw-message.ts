import { encode, envelope } from '@millrace/messages';
import type { EnvelopeInit } from '@millrace/messages';
import type { Broker } from './broker.js';
import type { Encoded } from './message-writer.js';

/** A message without a contract: neither validated nor transformed. It goes on with the trace that is active. */
export function encodeRaw(broker: Broker, init: Omit<EnvelopeInit, 'source'>): Encoded {
  const trace = broker.telemetry?.traceContext();
  const complete = envelope({ source: `/${broker.context}`, ...trace, ...init }, broker.clock.now());
  return { envelope: complete, text: encode(complete, broker.limits) };
}
