import { encode, envelope } from '@millrace/messages';
import type { EnvelopeInit } from '@millrace/messages';
import type { Broker, Encoded } from './broker.js';

/** A message without a contract: neither validated nor transformed. */
export function encodeRaw(broker: Broker, init: Omit<EnvelopeInit, 'source'>): Encoded {
  const complete = envelope({ source: `/${broker.context}`, ...init }, broker.clock.now());
  return { envelope: complete, text: encode(complete, broker.limits) };
}
