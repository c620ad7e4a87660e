import { keyOf } from '@millrace/messages';
import type { Broker } from './broker.js';
import type { OutboundMessage } from './message-writer.js';
import type { Write } from './commit.js';
import { checkOwn } from './outgoing.js';
import { parseAddress } from './partition.js';
import type { Partition, Source } from './partition.js';

/** What messages are, once it is known where each goes. */
export interface Sent {
  /** The partition whose feed the events go to; undefined without events. */
  readonly feed: Partition | undefined;
  readonly events: readonly string[];
  readonly emits: readonly Emit[];
}

type Emit = Extract<Write, { kind: 'emit' }>;

/**
 * Says where messages go: an event to the feed of this context, a command to the inbox of the context that its route or its
 * type names, a reply to the address it answers.
 *
 * Nothing waits while the number of partitions of the target is known.
 *
 * @throws ConfigurationError for an event of another context
 */
export function send(broker: Broker, outgoing: readonly OutboundMessage[]): Sent | Promise<Sent> {
  const events: string[] = [];
  let feed: Partition | undefined;
  const emits: Emit[] = [];
  const waiting: Promise<void>[] = [];
  for (const { envelope, kind, text, route } of outgoing) {
    if (kind === 'event') {
      checkOwn(broker, envelope.type);
      // Parts of one message have its key, so all go where the first one goes.
      feed ??= broker.partitionFor(keyOf(envelope));
      events.push(text);
    } else if (kind === 'command') {
      const to = broker.inboxFor(envelope, route);
      if (to instanceof Promise) waiting.push(emitLater(emits, to, text));
      else emits.push({ kind: 'emit', to, message: text });
    } else {
      const to = envelope.replyto === undefined ? undefined : parseAddress(envelope.replyto);
      if (to) emits.push({ kind: 'emit', to, message: text });
    }
  }
  const sent = { feed, events, emits };
  return waiting.length === 0 ? sent : Promise.all(waiting).then(() => sent);
}

/** It keeps its place among the others. */
async function emitLater(emits: Emit[], to: Promise<Partition>, message: string): Promise<void> {
  const at = emits.length++;
  emits[at] = { kind: 'emit', to: await to, message };
}

/** The writes of messages that are sent as part of a commit on a partition. A promise only where {@link send} waits. */
export function writesOf(
  broker: Broker,
  outgoing: readonly OutboundMessage[],
): readonly Write[] | Promise<readonly Write[]> {
  const sent = send(broker, outgoing);
  return sent instanceof Promise ? sent.then(toWrites) : toWrites(sent);
}

function toWrites({ events, emits }: Sent): readonly Write[] {
  return events.length > 0 ? [{ kind: 'append', events }, ...emits] : emits;
}

/** The log that one event or command goes to. */
export async function targetOf(broker: Broker, { envelope, kind, route }: OutboundMessage): Promise<Source> {
  if (kind === 'command') return { partition: await broker.inboxFor(envelope, route), log: 'in' };
  checkOwn(broker, envelope.type);
  return { partition: broker.partitionFor(keyOf(envelope)), log: 'feed' };
}
