import type { Envelope } from '@millrace/messages';
import type { Broker } from './broker.js';
import type { Write } from './commit.js';
import { parseAddress, parseReplyAddress } from './partition.js';
import type { ReplyAddress } from './partition.js';
import { encodeRaw } from './raw-message.js';
import type { Undoer } from './tombstones.js';

/** Type of the reply that a request gets when it has been given up; data {@link Failed}. */
export const FAILED = 'millrace.failed';

/** Type of the reply after the last of several, or instead of one; data {@link Completed}. */
export const COMPLETED = 'millrace.completed';

/** Type of the reply to a command that was not handled because its effect has been undone; data {@link Superseded}. */
export const SUPERSEDED = 'millrace.superseded';

type ReplyWrite = Extract<Write, { kind: 'reply' }>;

export interface Failed {
  /** Short code, as in the dead letter. */
  readonly reason: string;
  readonly error: string;
}

export interface Completed {
  /** How many replies there were. */
  readonly frames: number;
}

export interface Superseded {
  /** The `effectid` of the command. */
  readonly effect: string;
  /** The command that undid it: handled, whatever it answered. */
  readonly undoneBy: Undoer;
}

/** The process that waits for replies to a message; undefined when a context is to get the reply, or nobody. */
export function waitingFor(message: Envelope): ReplyAddress | undefined {
  return message.replyto === undefined ? undefined : parseReplyAddress(message.replyto);
}

/** Tells a waiting process that its request has been given up: part of the commit that dead-letters it. */
export function failedReply(broker: Broker, request: Envelope, failed: Failed): ReplyWrite[] {
  return systemReply(broker, request, FAILED, 'failure', failed);
}

/** Tells a waiting process that there are no more replies: part of the commit that settles the request. */
export function completedReply(broker: Broker, request: Envelope, completed: Completed): ReplyWrite[] {
  return systemReply(broker, request, COMPLETED, 'success', completed);
}

/** The rest of a sentence about a command. */
export function tooLate({ effect, undoneBy }: Superseded): string {
  return `was not handled, its effect '${effect}' has been undone by ${undoneBy.type} ${undoneBy.id}`;
}

/** Tells who wants a reply, a context too, that the command comes too late: part of the commit that acknowledges it. */
export function supersededReply(
  broker: Broker,
  command: Envelope,
  superseded: Superseded,
): readonly Extract<Write, { kind: 'emit' | 'reply' }>[] {
  const context = command.replyto === undefined ? undefined : parseAddress(command.replyto);
  if (!context) return systemReply(broker, command, SUPERSEDED, 'failure', superseded);
  const { id, correlationid = id, partitionkey } = command;
  const { text } = encodeRaw(broker, {
    type: SUPERSEDED,
    inreplyto: id,
    outcome: 'failure',
    partitionkey: command.correlationid ?? partitionkey ?? id,
    correlationid,
    causationid: id,
    data: superseded,
  });
  return [{ kind: 'emit', to: context, message: text }];
}

function systemReply(
  broker: Broker,
  request: Envelope,
  type: string,
  outcome: 'success' | 'failure',
  data: Failed | Completed | Superseded,
): ReplyWrite[] {
  const to = waitingFor(request);
  if (!to) return [];
  const { text } = encodeRaw(broker, { type, inreplyto: request.id, outcome, data });
  return [{ kind: 'reply', to, message: text }];
}
