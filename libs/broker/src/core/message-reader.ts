import { contractOf, decode, keyOf, MessageError, toInstance } from '@millrace/messages';
import type { Envelope } from '@millrace/messages';
import { TransformError } from '@millrace/transforms';
import type { Broker } from './broker.js';
import type { Received } from './delivery.js';
import type { HandlerDeclaration, HandlerGroup } from './handler.js';
import { readOrigin } from './origin.js';
import { ownerOf } from './partition.js';
import type { Entry } from './partition.js';

/** Reads the entries of one group: from bytes to a message in its handler's own words. */
export class MessageReader {
  constructor(
    private readonly broker: Broker,
    private readonly group: HandlerGroup,
  ) {}

  /** Decodes, transforms and validates an entry, without side effects. The key says which entries it must not overtake. */
  read(entry: Entry): Received {
    let key = `${entry.source.log}/${entry.id}`;
    let envelope: Envelope | undefined;
    const moved = ownerOf(entry.source.log) === undefined ? undefined : readOrigin(entry);
    const origin = moved?.origin;
    try {
      envelope = decode(moved?.fields ?? entry.fields, origin?.entry.id ?? entry.id, this.broker.limits);
      key = keyOf(envelope);
      envelope = this.broker.receive(envelope);
      key = keyOf(envelope);
      const handler = this.group.find(envelope);
      if (handler) return { kind: 'message', key, envelope, origin, handler, data: this.dataOf(envelope, handler) };
      if (entry.source.log === 'feed') return { kind: 'irrelevant', key };
      const error = new MessageError('unknown-type', `no handler for ${envelope.type} in group '${this.group.name}'`);
      return { kind: 'refused', key, envelope, origin, reason: error.code, error };
    } catch (error) {
      return { kind: 'refused', key, envelope, origin, reason: reasonOf(error), error };
    }
  }

  private dataOf(envelope: Envelope, handler: HandlerDeclaration): object {
    if (!handler.contract) return envelope.data as object;
    if (envelope.data instanceof handler.contract) return envelope.data;
    const { version, type } = contractOf(handler.contract);
    const byHand = envelope.source === '/by-hand' && envelope.schemaversion === undefined;
    if (!byHand && (envelope.schemaversion ?? 1) !== version) {
      throw new MessageError(
        'unsupported-version',
        `${type} has schema version ${envelope.schemaversion ?? 1}, this service knows ${version}: add an upcast`,
      );
    }
    return toInstance(handler.contract, envelope.data, this.broker.validate);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof MessageError || error instanceof TransformError ? error.code : 'malformed';
}
