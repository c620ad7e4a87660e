import { keyOf, MessageError } from '@millrace/messages';
import type { Envelope } from '@millrace/messages';
import { Halted, TransformError } from '@millrace/transforms';
import type { Pipeline } from '@millrace/transforms';
import type { Broker } from './broker.js';
import type { Received } from './delivery.js';
import { GATHER_TIMEOUT } from './gathering.js';
import type { HandlerDeclaration, HandlerGroup } from './handler.js';
import { InboundWay } from './inbound-way.js';
import { dataOf } from './message-data.js';
import { readOrigin } from './origin.js';
import type { Origin } from './origin.js';
import { ownerOf } from './partition.js';
import type { Entry, Log } from './partition.js';

/** Reads the entries of one group: from bytes to a message in its handler's own words. */
export class MessageReader {
  private readonly pipeline: Pipeline;
  private readonly way: InboundWay;

  constructor(
    private readonly broker: Broker,
    private readonly group: HandlerGroup,
  ) {
    this.pipeline = broker.boundary.inboundOf(group.inbound);
    this.way = new InboundWay(broker, group, this.pipeline);
  }

  /**
   * Decodes, transforms and validates an entry, without side effects. The key says which entries it must not overtake: the
   * one it has behind the transforms that map at once, or what it is gathered by; the other transforms have their turn in
   * the handler's place.
   */
  read(entry: Entry): Received {
    let key = `${entry.source.log}/${entry.id}`;
    let envelope: Envelope | undefined;
    const moved = ownerOf(entry.source.log) === undefined ? undefined : readOrigin(entry);
    const origin = moved?.origin;
    try {
      envelope = this.broker.open(moved ? { fields: moved.fields, id: moved.origin.entry.id } : entry);
      key = keyOf(envelope);
      const begun = this.pipeline.begin(envelope);
      if (begun instanceof Halted) {
        envelope = begun.message;
        key = this.pipeline.laneOf(begun) ?? keyOf(envelope);
        if (entry.source.log === 'feed' && !this.way.isRelevant(envelope.type)) return { kind: 'irrelevant', key };
        return onItsWay(key, envelope, origin, this.way.rest(begun));
      }
      envelope = begun;
      key = keyOf(envelope);
      const handler = this.group.find(envelope);
      if (!handler) return this.without(entry.source.log, key, envelope, origin);
      if (!handler.inbound && envelope.routingslip === undefined) {
        return { kind: 'message', key, envelope, origin, handler, data: dataOf(this.broker, envelope, handler) };
      }
      return this.ownWay(envelope, origin, handler);
    } catch (error) {
      return { kind: 'refused', key, envelope, origin, reason: reasonOf(error), error };
    }
  }

  /** A handler with transforms of its own, or a message that travels on. */
  private ownWay(message: Envelope, origin: Origin | undefined, handler: HandlerDeclaration): Received {
    const own = this.group.pipelineOf(handler);
    const begun = own?.begin(message) ?? message;
    const way = (key: string): Received => onItsWay(key, message, origin, this.way.through(handler, message));
    if (begun instanceof Halted) return way(own!.laneOf(begun) ?? keyOf(begun.message));
    if (begun.routingslip !== undefined) return way(keyOf(begun));
    if (!handler.accepts && begun.type !== handler.type) {
      throw new MessageError(
        'unknown-type',
        `${handler.name} takes ${handler.type}, its transforms gave ${begun.type}`,
      );
    }
    return {
      kind: 'message',
      key: keyOf(begun),
      envelope: begun,
      origin,
      handler,
      data: dataOf(this.broker, begun, handler),
    };
  }

  private without(log: Log, key: string, envelope: Envelope, origin: Origin | undefined): Received {
    if (log === 'feed') return { kind: 'irrelevant', key };
    if (envelope.type === GATHER_TIMEOUT && ownerOf(log) === this.group.name) {
      return onItsWay(key, envelope, origin, this.way.timeout(envelope));
    }
    const error = new MessageError('unknown-type', `no handler for ${envelope.type} in group '${this.group.name}'`);
    return { kind: 'refused', key, envelope, origin, reason: error.code, error };
  }
}

function onItsWay(key: string, envelope: Envelope, origin: Origin | undefined, handler: HandlerDeclaration): Received {
  return { kind: 'message', key, envelope, origin, handler, data: (envelope.data ?? {}) as object };
}

function reasonOf(error: unknown): string {
  return error instanceof MessageError || error instanceof TransformError ? error.code : 'malformed';
}
